// Scoring: photographs with zoom and side by side, a form whose every change is kept as a draft, the signature.
"use strict";
(() => {
  const root = document.getElementById("reading");
  const form = document.getElementById("findings");
  const panes = [...document.querySelectorAll(".pane")].map((element) => ({ element, image: element.querySelector("img"), zoom: 1, x: 0, y: 0, number: -1 }));
  const thumbs = [...document.querySelectorAll(".thumb")];
  let active = 0;

  function place(pane) { pane.image.style.transform = `translate(${pane.x}px, ${pane.y}px) scale(${pane.zoom})`; }
  function show(pane, number) {
    if (!thumbs.length) return;
    const index = (number + thumbs.length) % thumbs.length;
    Object.assign(pane, { number: index, zoom: 1, x: 0, y: 0 });
    pane.image.src = thumbs[index].dataset.source; pane.image.alt = thumbs[index].dataset.title;
    place(pane); mark();
  }
  function mark() { thumbs.forEach((thumb, index) => thumb.setAttribute("aria-pressed", String(panes.some((pane) => !pane.element.hidden && pane.number === index)))); }
  function zoomBy(pane, factor, x, y) {
    const box = pane.element.getBoundingClientRect();
    const [atX, atY] = [x ?? box.width / 2, y ?? box.height / 2];
    const zoom = Math.min(12, Math.max(1, pane.zoom * factor));
    pane.x = atX - (atX - pane.x) * (zoom / pane.zoom); pane.y = atY - (atY - pane.y) * (zoom / pane.zoom); pane.zoom = zoom;
    if (zoom === 1) { pane.x = 0; pane.y = 0; }
    place(pane);
  }
  function fit(pane) { Object.assign(pane, { zoom: 1, x: 0, y: 0 }); place(pane); }
  function sideBySide() {
    const second = panes[1];
    second.element.hidden = !second.element.hidden;
    document.getElementById("two").setAttribute("aria-pressed", String(!second.element.hidden));
    if (second.element.hidden) active = 0; else if (second.number < 0) show(second, panes[0].number + 1);
    mark();
  }
  panes.forEach((pane, index) => {
    let last = null;
    pane.element.addEventListener("focus", () => { active = index; });
    pane.element.addEventListener("pointerdown", (event) => { active = index; last = [event.clientX, event.clientY]; pane.element.setPointerCapture(event.pointerId); });
    pane.element.addEventListener("pointermove", (event) => { if (!last) return; pane.x += event.clientX - last[0]; pane.y += event.clientY - last[1]; last = [event.clientX, event.clientY]; place(pane); });
    for (const kind of ["pointerup", "pointercancel"]) pane.element.addEventListener(kind, () => { last = null; });
    pane.element.addEventListener("wheel", (event) => { event.preventDefault(); const box = pane.element.getBoundingClientRect(); zoomBy(pane, event.deltaY < 0 ? 1.2 : 1 / 1.2, event.clientX - box.left, event.clientY - box.top); }, { passive: false });
  });
  thumbs.forEach((thumb, index) => thumb.addEventListener("click", () => show(panes[active], index)));
  document.getElementById("two").addEventListener("click", sideBySide);
  document.getElementById("zoom-in").addEventListener("click", () => zoomBy(panes[active], 1.5));
  document.getElementById("zoom-out").addEventListener("click", () => zoomBy(panes[active], 1 / 1.5));
  document.getElementById("zoom-fit").addEventListener("click", () => fit(panes[active]));
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const pane = panes[active];
    const keys = { ArrowLeft: () => show(pane, pane.number - 1), ArrowRight: () => show(pane, pane.number + 1), "+": () => zoomBy(pane, 1.5), "-": () => zoomBy(pane, 1 / 1.5), 0: () => fit(pane), s: sideBySide };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });

  const bands = [[0, 0], [10, 1], [30, 2], [50, 3], [70, 4], [90, 5], [101, 6]];
  function bandOf(text) {
    const area = Number(String(text).replace(",", "."));
    if (text.trim() === "" || !(area >= 0 && area <= 100)) return null;
    return area === 0 ? 0 : bands.find(([below]) => area < below)[1];
  }
  function renew(fieldset) {
    const area = fieldset.querySelector(".area input");
    const band = bandOf(area.value);
    fieldset.querySelector(".band").textContent = band === null ? "" : `area score ${band}`;
    fieldset.querySelectorAll(".grades").forEach((group) => {
      const chosen = group.querySelector("input:checked");
      group.querySelector(".grade-words").textContent = chosen ? chosen.closest("label").title : "";
      group.hidden = band === 0;
    });
  }
  form.querySelectorAll("fieldset").forEach(renew);

  // Whoever comes to a region's fields sees a photograph of it, and may choose another one.
  const regions = [["head_neck", /^head/], ["upper_limbs", /^(upper|palms)/], ["trunk", /^trunk/], ["lower_limbs", /^(lower|soles)/]];
  const regionOf = (title) => (regions.find(([, pattern]) => pattern.test(title)) || [""])[0];
  let at = "";
  form.addEventListener("focusin", (event) => {
    const fieldset = event.target.closest("fieldset");
    if (!fieldset || fieldset.dataset.region === at) return;
    at = fieldset.dataset.region;
    if (panes.some((pane) => !pane.element.hidden && pane.number >= 0 && regionOf(thumbs[pane.number].dataset.title) === at)) return;
    const first = thumbs.findIndex((thumb) => regionOf(thumb.dataset.title) === at);
    if (first >= 0) show(panes[0], first);
  });

  const said = document.getElementById("draft-said");
  let timer = null;
  async function keep() {
    const response = await fetch(root.dataset.draft, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
    const answer = await response.json().catch(() => ({}));
    said.textContent = response.ok ? `Draft kept at ${answer.saved}. ${answer.missing.length ? `${answer.missing.length} still to fill in.` : "Complete."}` : `Not kept: ${answer.error || "no connection"}. ${answer.fix || ""}`;
    said.className = response.ok ? "quiet" : "alert-text";
  }
  form.addEventListener("input", (event) => {
    const fieldset = event.target.closest("fieldset");
    if (fieldset) renew(fieldset);
    if (event.target.name === "password" || event.target.name === "reason") return;
    clearTimeout(timer);
    timer = setTimeout(() => keep().catch(() => { said.textContent = "Not kept: no connection. It is tried again with the next change."; said.className = "alert-text"; }), 400);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearTimeout(timer);
    const place = document.getElementById("sign-said");
    try {
      const response = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
      const answer = await response.json();
      if (response.ok) window.location.assign(answer.next); else place.textContent = answer.error || "It was not signed.";
    } catch { place.textContent = "Not signed: no connection. Your draft is kept."; }
  });
  show(panes[0], 0);
})();
