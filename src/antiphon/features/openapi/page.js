// Sends the forms on an OpenAPI document's page, and shows each response below its form. docs/how-to/openapi.md
// describes what works without it.
(() => {
  const MOST = 65536;

  const bodyOf = (form, fields) => {
    const json = fields.find((field) => field.dataset.in == "json");
    if (json) return new Blob([json.value], { type: "application/json" });
    const data = new FormData();
    for (const field of fields.filter((each) => each.dataset.in == "body")) {
      for (const value of field.files || [field.value]) data.append(field.name, value);
    }
    return form.enctype == "multipart/form-data" ? data : new URLSearchParams(data);
  };

  const requestOf = (form) => {
    const fields = [...form.elements].filter((field) => field.name && (field.value || field.required));
    const at = (place) => fields.filter((field) => field.dataset.in == place);
    const query = new URLSearchParams(at("query").flatMap(({ name, value, rows }) =>
      (rows ? value.split("\n") : [value]).filter((line) => line || !rows).map((line) => [name, line])));
    const path = at("path").reduce((url, { name, value }) => url.replace(
      `{${name}}`, () => value.split("/").map(encodeURIComponent).join("/")), form.dataset.path);
    const method = form.dataset.method, hasBody = fields.some((field) => ["json", "body"].includes(field.dataset.in));
    return [path.replace(/^\/\//, "/.//") + (`${query}` && `?${query}`), {
      method,
      headers: at("header").map(({ name, value }) => [name, value]),
      body: hasBody ? bodyOf(form, fields) : undefined,
    }];
  };

  const readable = (text, kind) => {
    try {
      return /json/.test(kind) ? JSON.stringify(JSON.parse(text), null, 2) : text;
    } catch {
      return text;
    }
  };

  const show = async (response, answer) => {
    const kind = response.headers.get("content-type") || "", head = [`${response.status} ${response.statusText}`];
    for (const [name, value] of response.headers) head.push(`${name}: ${value}`);
    const start = head.join("\n") + "\n\n";
    answer.textContent = start;
    if (kind && !/text|json|xml|javascript|urlencoded/.test(kind)) {
      answer.textContent += `${(await response.blob()).size} bytes`;
      return;
    }
    const reader = response.body && response.body.getReader(), decoder = new TextDecoder();
    let text = "";
    while (reader) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
      answer.textContent = start + text;
      if (text.length > MOST) {
        await reader.cancel();
        answer.textContent += "\n...";
        return;
      }
    }
    answer.textContent = start + readable(text, kind);
  };

  for (const form of document.querySelectorAll("form[data-path]")) {
    const answer = document.createElement("pre"), hint = form.querySelector("p");
    let latest = new AbortController();
    answer.setAttribute("role", "status");
    form.after(answer);
    if (hint) hint.remove();
    form.querySelector("button").disabled = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      latest.abort();
      const { signal } = latest = new AbortController();
      answer.textContent = "...";
      try {
        const [url, options] = requestOf(form);
        await show(await fetch(url, { ...options, signal }), answer);
      } catch (error) {
        if (!signal.aborted) answer.textContent = `${error}`;
      }
    });
  }
})();
