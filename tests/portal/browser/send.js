// Sends a photograph with the real tus-js-client and prints what happened, one JSON object a line.
// Arguments: endpoint, token, metadata as JSON, file, how ("whole", or "broken": the connection is given up after the first part).
import { readFileSync } from "node:fs";
import * as tus from "tus-js-client";

const [endpoint, token, metadata, path, how] = process.argv.slice(2);
const data = readFileSync(path);
const headers = { Authorization: `Bearer ${token}` };
const say = (line) => console.log(JSON.stringify(line));

const common = {
  endpoint,
  headers,
  metadata: JSON.parse(metadata),
  chunkSize: Math.ceil(data.length / 4),
  retryDelays: [200, 500, 1000, 2000, 4000, 8000, 8000, 8000],
  onChunkComplete: (size, sent) => say({ sent }),
  onShouldRetry: () => true,
  onError: (error) => {
    say({ error: String(error) });
    process.exit(1);
  },
};

async function verdict(url) {
  for (;;) {
    try {
      const response = await fetch(`${url}verdict/`, { method: "POST", headers });
      if (response.status === 200) return await response.json();
    } catch {
      // the server is away for a moment
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

function run(more) {
  const upload = new tus.Upload(data, {
    ...common,
    ...more,
    onSuccess: async () => say({ url: upload.url, ...(await verdict(upload.url)) }),
  });
  upload.start();
  return upload;
}

if (how === "broken") {
  const first = run({
    onChunkComplete: async () => {
      await first.abort();
      say({ given_up: first.url });
      run({ uploadUrl: first.url, onChunkComplete: (size, sent) => say({ size, sent }) });
    },
  });
} else run({});
