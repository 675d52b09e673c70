// Rectangles over faces and tattoos, drawn with mouse, finger or keyboard; kept as shares of width and height.
"use strict";
(() => {
  const canvas = document.getElementById("stage");
  const pen = canvas.getContext("2d");
  const field = document.getElementById("boxes");
  const said = document.getElementById("boxes-said");
  const save = document.getElementById("save-boxes");
  const picture = new Image();
  const boxes = [];
  let from = null;
  const clamp = (value) => Math.min(1, Math.max(0, value));

  function draw() {
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    boxes.forEach(([left, top, right, bottom], index) => {
      pen.fillStyle = "#3a3a3a";
      pen.fillRect(left * canvas.width, top * canvas.height, (right - left) * canvas.width, (bottom - top) * canvas.height);
      pen.lineWidth = Math.max(2, canvas.width / 400);
      pen.strokeStyle = index === boxes.length - 1 ? "#00e5ff" : "#ffffff";
      pen.strokeRect(left * canvas.width, top * canvas.height, (right - left) * canvas.width, (bottom - top) * canvas.height);
    });
    const whole = boxes.filter(([left, top, right, bottom]) => right - left > 0.002 && bottom - top > 0.002);
    field.value = JSON.stringify(whole);
    save.disabled = whole.length === 0;
    said.textContent = whole.length ? `${whole.length} place${whole.length > 1 ? "s" : ""} to cover.` : "No rectangle yet.";
  }
  const point = (event) => { const box = canvas.getBoundingClientRect(); return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)]; };

  picture.addEventListener("load", () => {
    const scale = Math.min(1, 1600 / Math.max(picture.naturalWidth, picture.naturalHeight));
    canvas.width = picture.naturalWidth * scale; canvas.height = picture.naturalHeight * scale;
    for (const name of ["add-box", "undo-box"]) document.getElementById(name).disabled = false;
    draw();
  });
  picture.src = canvas.dataset.source;
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); from = point(event); boxes.push([...from, ...from]); });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = point(event);
    boxes[boxes.length - 1] = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])];
    draw();
  });
  for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => {
    from = null;
    const last = boxes[boxes.length - 1];
    if (last && (last[2] - last[0] <= 0.002 || last[3] - last[1] <= 0.002)) boxes.pop();
    draw();
  });
  canvas.addEventListener("keydown", (event) => {
    const last = boxes[boxes.length - 1];
    const step = { ArrowLeft: [-0.01, 0], ArrowRight: [0.01, 0], ArrowUp: [0, -0.01], ArrowDown: [0, 0.01] }[event.key];
    if (!step || !last) return;
    event.preventDefault();
    const first = event.shiftKey ? 2 : 0;
    const moved = last.map((value, index) => (index >= first ? value + step[index % 2] : value));
    if (moved.every((value) => value >= 0 && value <= 1) && moved[2] > moved[0] && moved[3] > moved[1]) boxes[boxes.length - 1] = moved;
    draw();
  });
  document.getElementById("add-box").addEventListener("click", () => { boxes.push([0.4, 0.4, 0.6, 0.6]); canvas.focus(); draw(); });
  document.getElementById("undo-box").addEventListener("click", () => { boxes.pop(); draw(); });
})();
