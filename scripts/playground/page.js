// Puts a button below each example of a page that can run here. The worker with Python is started at the first press.
(() => {
  const folder = new URL("playground/", document.currentScript.src);
  const waiting = new Map();
  let worker, number = 0;

  function startWorker() {
    worker = new Worker(new URL("worker.js", folder), { type: "module" });
    worker.onmessage = ({ data }) => data.stage ? tell(data.stage) : data.failed ? fail(data.failed) : take(data);
    worker.onerror = event => fail(event.message || "The worker could not be loaded.");
  }

  // How far the start is, below each example that waits for it.
  function tell(stage) {
    for (const each of document.querySelectorAll(".run[aria-busy] .run__status")) each.textContent = stage;
  }

  function take(data) {
    waiting.get(data.number)(data);
    waiting.delete(data.number);
  }

  // The next press starts another worker.
  function fail(error) {
    worker.terminate();
    worker = undefined;
    for (const done of waiting.values()) done({ error });
    waiting.clear();
  }

  async function run(place) {
    const response = await fetch(new URL(place.dataset.example, folder));
    if (!response.ok) throw new Error(`${response.status} for ${response.url}`);
    const example = await response.text();
    if (!worker) startWorker();
    return new Promise(done => {
      waiting.set(++number, done);
      worker.postMessage({ number, example });
    });
  }

  function part(name, kind, text) {
    const element = document.createElement(name);
    element.className = kind;
    element.textContent = text;
    return element;
  }

  function shown({ command, head, body }) {
    const answer = document.createElement("div");
    if (command) answer.append(part("div", "run__command", `$ ${command}`));
    if (head) answer.append(part("div", "run__head", head));
    const text = part("pre", "run__body", body);
    answer.append(text);
    return answer;
  }

  function prepare(place) {
    const button = part("button", "md-button run__button", "Run it here");
    const status = part("span", "run__status", ""), progress = part("progress", "run__progress", "");
    const answers = part("div", "run__answers", "");
    button.type = "button";
    status.setAttribute("role", "status");
    answers.hidden = progress.hidden = true;
    progress.setAttribute("aria-label", "Running the example");
    place.replaceChildren(button, progress, status, answers);
    button.addEventListener("click", async () => {
      button.disabled = true;
      progress.hidden = false;
      place.setAttribute("aria-busy", "true");
      status.textContent = worker ? "Running…" : "Starting Python in this page: 14 MB, once…";
      const { answers: told, error } = await run(place).catch(error => ({ error: String(error) }));
      answers.replaceChildren(...(told ?? [{ body: error }]).map(shown));
      answers.hidden = false;
      status.textContent = error ? "Python could not run this." : "Answered by Antiphon, in your browser.";
      progress.hidden = true;
      place.removeAttribute("aria-busy");
      button.disabled = false;
    });
  }

  const prepareAll = () => document.querySelectorAll(".run:empty").forEach(prepare);
  if (location.protocol.startsWith("http")) document$.subscribe(prepareAll);
})();
