// Two small things: the back button of an error page, and the switch for the model's outline.
"use strict";
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-back]")) { event.preventDefault(); history.back(); }
});
document.addEventListener("change", (event) => {
  if (event.target.id === "show-outline") document.querySelector("path.outline").classList.toggle("off", !event.target.checked);
});
