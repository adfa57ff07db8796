  // Live blocks: an element with data-block="orders" and data-live is filled with each event "orders" of the stream at the
  // address in data-live, or at the page's own. Browsers ask again for a stream that was lost. If it was refused, they ask
  // why: an error that will stay is shown, beside what the element has; after any other, they try again in some seconds.
  let streams = [];
  const follow = () => {
    streams.map((stream) => stream.close());
    streams = [...doc.querySelectorAll("[data-live]")].map((to) => {
      const name = to.dataset.block || to.id, address = path(new URL(to.dataset.live, location));
      const stream = new EventSource(address), isCurrent = () => streams.includes(stream);
      stream.addEventListener(name, ({ data }) => {
        const parsed = doc.createElement("template"), filled = region(name);
        parsed.innerHTML = data;
        if (filled) morph(filled, parsed.content);
      });
      stream.onerror = async () => {
        if (stream.readyState < 2) return;
        const accept = "application/problem+json, */*";
        const reply = await fetch(address, { headers: { accept, "X-Block": name } }).catch(() => 0);
        const { status, redirected } = reply, stays = redirected || status > 399 && status < 500 && status != 429;
        if (!stays) return setTimeout(() => isCurrent() && follow(), 4e3 * (1 + Math.random()));
        const said = await reply.text(), isJSON = /json/.test(reply.headers.get("content-type"));
        const { detail, title } = isJSON ? JSON.parse(said) : new DOMParser().parseFromString(said, "text/html");
        const filled = isCurrent() && region(name);
        if (!filled) return;
        note.textContent = detail || title || status;
        filled.prepend(note);
        filled.dispatchEvent(new CustomEvent("block:ended", { bubbles: true, detail: { status } }));
      };
      return stream;
    });
  };
  addEventListener("block:done", follow);
  follow();
