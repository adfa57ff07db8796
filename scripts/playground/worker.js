// Runs examples by Pyodide (MPL 2.0, github.com/pyodide/pyodide), from this folder alone. A message has an example, and
// the reply the responses to its requests, or an error. Messages with a stage tell how far the start is.
import { loadPyodide } from "./pyodide.mjs";

const here = new URL(".", import.meta.url).href;

async function start() {
  postMessage({ stage: "Fetching Python: 14 MB, once…" });
  const [python, packages] = await Promise.all([
    loadPyodide({ indexURL: here }),
    fetch(new URL("packages.zip", here)).then(each => {
      if (!each.ok) throw new Error(`${each.status} for ${each.url}`);
      return each.arrayBuffer();
    }),
  ]);
  postMessage({ stage: "Unpacking Antiphon…" });
  python.unpackArchive(packages, "zip", { extractDir: "/packages" });
  python.runPython("import sys; sys.path.insert(0, '/packages')");
  const module = python.pyimport("in_page");
  postMessage({ stage: "Running…" });
  return module;
}

const started = start();
started.catch(error => postMessage({ failed: String(error) }));

onmessage = async ({ data: { number, example } }) => {
  const python = await started;
  try {
    postMessage({ number, answers: JSON.parse(python.run(example)) });
  } catch (error) {
    postMessage({ number, error: String(error) });
  }
};
