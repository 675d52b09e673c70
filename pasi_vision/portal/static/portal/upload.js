// Sending photographs: resumable (tus), identified by SHA-256, the verdict in words beside the view.
"use strict";
(() => {
  const sending = document.getElementById("sending");
  if (!sending) return;
  const { endpoint, visit } = sending.dataset;
  const longest = Number(sending.dataset.longest) * 1e6;
  const cookie = document.cookie.split("; ").find((part) => /^(__Host-csrf|portal_csrf)=/.test(part));
  const csrf = cookie ? cookie.split("=")[1] : document.querySelector("[name=csrfmiddlewaretoken]").value;

  const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

  async function sha256(file) {
    if (!window.crypto || !crypto.subtle) return "";
    return hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  }

  // The page part may be renewed while a photograph is on its way: it is looked up by its view each time.
  function say(view, text, kind, share) {
    const place = document.querySelector(`[data-view="${view}"] .arrival`);
    if (!place) return;
    place.className = `arrival ${kind || ""}`;
    place.textContent = text;
    if (share !== undefined) {
      const bar = document.createElement("progress");
      bar.max = 1; bar.value = share; bar.setAttribute("aria-label", "sent");
      place.append(bar);
    }
  }

  async function verdict(address, view) {
    for (let tries = 0; tries < 60; tries += 1) {
      const response = await fetch(`${address}verdict/`, { method: "POST", headers: { "X-CSRFToken": csrf, Accept: "application/json" } });
      const answer = await response.json();
      if (response.status !== 202 || answer.state === "failed") {
        const good = answer.verdict === "accept" || answer.verdict === "accept with warning";
        return { good, kept: Boolean(answer.photograph), text: answer.message || answer.error };
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    return { good: false, kept: false, text: "The check takes long. The photograph has arrived; look at this page again in a minute." };
  }

  function told(view, result) {
    if (result.kept && document.getElementById("views")) {
      document.body.addEventListener("htmx:afterSwap", () => say(view, result.text, result.good ? "good-news" : "bad-news"), { once: true });
      htmx.trigger(document.body, "photograph-arrived");
    } else say(view, result.text, result.good ? "good-news" : "bad-news");
  }

  async function send(file, view) {
    if (file.size === 0) return say(view, "This file is empty. Choose another.", "bad-news");
    if (file.size > longest) return say(view, `This file is larger than ${longest / 1e6} MB.`, "bad-news");
    say(view, "Reading …");
    const hash = await sha256(file);
    const upload = new tus.Upload(file, {
      endpoint,
      chunkSize: 4 * 1024 * 1024,
      retryDelays: [0, 1000, 3000, 5000, 10000, 20000, 30000],
      removeFingerprintOnSuccess: true,
      headers: { "X-CSRFToken": csrf },
      metadata: { visit, view, sha256: hash },
      // What goes on after a lost connection is decided by visit, view and content, never by the file's name.
      fingerprint: async () => `portal-${visit}-${view}-${hash || [file.size, file.lastModified].join("-")}`,
      onProgress: (sent, total) => say(view, `Sending, ${Math.floor((100 * sent) / total)} %`, "", sent / total),
      onShouldRetry: (error) => { const status = error.originalResponse ? error.originalResponse.getStatus() : 0; say(view, "No connection. Trying again …"); return status === 0 || status === 409 || status === 423 || status >= 500; },
      onError: (error) => {
        let text = "It could not be sent. Choose the same photograph again; it goes on where it stopped.";
        if (error.originalResponse) { try { const said = JSON.parse(error.originalResponse.getBody()); text = `${said.error}. ${said.fix || ""}`; } catch { /* not JSON: the sentence above stands */ } }
        say(view, text, "bad-news");
      },
      onSuccess: async () => { say(view, "Checking …"); try { told(view, await verdict(upload.url, view)); } catch { say(view, "It has arrived. Load the page again to see the verdict.", "bad-news"); } },
    });
    const before = await upload.findPreviousUploads();
    if (before.length) upload.resumeFromPreviousUpload(before[0]);
    upload.start();
  }

  const placeOf = (target) => target.closest("[data-view]");
  document.addEventListener("change", (event) => {
    if (!event.target.classList.contains("pick")) return;
    const { view } = placeOf(event.target).dataset;
    for (const file of event.target.files) send(file, view);
    event.target.value = "";
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const place = placeOf(event.target);
      event.preventDefault();
      if (!place) return;
      place.classList.toggle("over", kind === "dragover");
      if (kind === "drop") for (const file of event.dataTransfer.files) send(file, place.dataset.view);
    });
  }
})();
