"""People and their API tokens."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.utils import timezone

from pasi_vision.portal.roles import ALL_SITES, PERMISSIONS, Permission, Role
from pasi_vision.portal.scope import Scoped

__all__ = ["ApiToken", "Person"]


_ScopedUsers: Any = UserManager.from_queryset(Scoped)


class PeopleManager(_ScopedUsers):
    """Django's user manager with the portal's scoping."""

    use_in_migrations = False


class Person(AbstractUser):
    """Somebody who signs in; exactly one role, and the sites they belong to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    full_name = models.CharField(max_length=120)
    role = models.CharField(max_length=16, choices=[(role.value, role.value) for role in Role])
    sites = models.ManyToManyField("portal.Site", blank=True, related_name="people")
    must_change_password = models.BooleanField(default=True)

    objects = PeopleManager()
    REQUIRED_FIELDS = ["full_name", "role"]

    def may(self, permission: Permission) -> bool:
        """Whether this person's role has a permission."""
        return self.is_active and permission in PERMISSIONS[Role(self.role)]

    @staticmethod
    def scope(person: Person) -> Q:
        """An administrator sees everybody, anybody else themselves."""
        return Q() if person.role in ALL_SITES else Q(pk=person.pk)

    def __str__(self) -> str:
        return self.full_name or self.username


class ApiToken(models.Model):
    """A key for the REST API with its owner's rights; only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = Scoped.as_manager()

    @staticmethod
    def scope(person: Person) -> Q:
        """Everybody sees their own tokens."""
        return Q(person=person)

    @staticmethod
    def hash_of(secret: str) -> str:
        """The stored form of a token; it carries 256 random bits, so a plain hash cannot be guessed back."""
        return hashlib.sha256(secret.encode()).hexdigest()

    @classmethod
    def make(cls, person: Person, name: str, days: int) -> tuple[ApiToken, str]:
        """A new token and its secret, which is shown once and never again."""
        secret = f"pv_{secrets.token_urlsafe(32)}"
        expires = timezone.now() + timedelta(days=days)
        return cls.objects.create(person=person, name=name, token_hash=cls.hash_of(secret), expires_at=expires), secret

    @property
    def is_valid(self) -> bool:
        """Neither revoked nor expired, and its owner active."""
        return self.revoked_at is None and self.expires_at > timezone.now() and self.person.is_active
