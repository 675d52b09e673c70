"""The shipped sample: refused are the photograph that was blurred and overexposed on purpose, one that came out too dark, and no other."""

from pasi_vision.anatomy import View
from pasi_vision.photo import check_photo, read_photo
from pasi_vision.records import Verdict
from pasi_vision.storage import resource
from pasi_vision.tables import PHOTOS, read_table


def test_only_the_poor_photographs_are_refused():
    sample = resource("sample")
    table = read_table(sample / "photos.csv", PHOTOS)
    refused = {}
    for row in table.to_dict("records"):
        quality = check_photo(read_photo(sample / row["path"]), View(row["view"]))
        if quality.verdict is Verdict.RETAKE:
            refused[row["path"]] = {m.name for m in quality.measures if m.verdict is Verdict.RETAKE}
    assert len(table) > 60
    assert refused == {"photos/P0002_week_4_trunk_front.jpg": {"sharpness"}}
