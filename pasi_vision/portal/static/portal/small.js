// Two small things: the back button of an error page, and the switch for the model's outlines.
"use strict";
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-back]")) { event.preventDefault(); history.back(); }
});
document.addEventListener("change", (event) => {
  if (event.target.matches(".show-outline")) document.querySelector("main").classList.toggle("no-outlines", !event.target.checked);
});
