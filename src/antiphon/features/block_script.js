// Blocks of pages, filled without loading the whole page: <form data-block="main">, <a data-block="main">.
// docs/how-to/blocks.md describes it. It is served minified: without comments and spaces, with letters for its names.
// `el` is the form or link, `to` the element that it fills, `was` an existing node, and `now` the node that replaces it.
(() => {
  const doc = document, body = doc.body, note = doc.createElement("p"), unsent = doc.currentScript.title, regions = ":not(a,form)[data-block";
  const path = (address) => `${address}`.split("#")[0],
    region = (name, root = doc) => root.querySelector(`${regions}="${name}"]`) || root.getElementById(name),
    values = (el) => [...el.elements || []].map((e) => e.value + e.checked) + "";
  let latest = {}, shown = path(location), leaves;
  note.role = "alert";

  // An existing node is kept, with all of a user's changes to it, if the new content has one with its tag, id and name.
  const key = (e) => e.nodeName + e.id + e.name,
    find = (nodes, node, wanted = key(node)) => nodes.findIndex((e) => key(e) == wanted),
    remove = (nodes) => nodes.map((e) => e.remove());

  const update = (was, now) => {
    if (was.data != now.data) was.data = now.data;
    if (was.isEqualNode(now)) return;
    for (const { name } of [...was.attributes, ...now.attributes]) {
      const e = now.getAttributeNode(name);
      // The user may have opened <details>, and other forms may be in flight.
      if (/^open|busy$/.test(name)) continue;
      if (!e) was.removeAttribute(name);
      else if (was.getAttribute(name) != e.value) was.setAttributeNode(e.cloneNode());
    }
    morph(was, now);
  };

  const morph = (was, now) => {
    const old = [...was.childNodes], all = [...now.childNodes];
    all.map((e, i) => {
      let gap = find(old, e);
      if (gap > 0) {
        const later = find(all.slice(i), old[0]);
        if (later < 0 || later > gap && !old[0].id) remove(old.splice(0, gap)), gap = 0;
        // moveBefore preserves the focus, in browsers that support it.
        else if (e.id) (was.moveBefore || was.insertBefore).call(was, old[gap], old[0]);
        else gap = -1;
      }
      gap < 0 ? was.insertBefore(e, old[0]) : update(old.splice(gap, 1)[0], e);
    });
    remove(old);
  };

  const load = (event, el, where, address, data, button) => {
    const { block, target } = el.dataset, back = el == body;
    const names = back ? "" : block || el.closest(regions + "]")?.dataset.block, first = names?.split(",")[0];
    if (event.defaultPrevented || names == null || where && where != "_self" || address.origin != location.origin) return;
    const to = back ? el : region(target || first) || target && doc.querySelector(target);
    if (!to) return;
    event.preventDefault();
    if (el.ariaBusy && !back) return;

    const xhr = new XMLHttpRequest(), turn = latest[names] = {}, before = values(el), focused = doc.activeElement;
    const mark = (on) => {
      for (const e of [el, to]) e.ariaBusy = on, e.toggleAttribute("data-loading", on);
      if (button) button.disabled = on;
    }, emit = (type, detail) =>
      (el.isConnected ? el : doc).dispatchEvent(new CustomEvent("block:" + type, { bubbles: 1, cancelable: 1, detail }));

    mark(true);
    note.remove();
    note.textContent = unsent;
    xhr.open(data ? "POST" : "GET", address);
    if (names) xhr.setRequestHeader("X-Block", names);
    xhr.upload.onprogress = ({ loaded, total }) => {
      const e = el.querySelector("progress");
      if (e) e.max = total, e.value = loaded;
      emit("progress", { loaded, total });
    };
    xhr.onloadend = () => {
      const { status, responseText: text, responseURL } = xhr, fails = status > 399, same = values(el) == before;
      const sent = xhr.getResponseHeader("x-block"), type = xhr.getResponseHeader("content-type");
      const isHTML = /html/.test(type);
      const end = responseURL == path(address) ? address.href : responseURL, isNew = !data || end != address.href;
      const page = isHTML && !sent && /^\s*<(!d|html)/i.test(text) && new DOMParser().parseFromString(text, "text/html");
      const foreign = page ? names && !region(first, page) : !isHTML || back;

      mark(null);
      if (focused == button && doc.activeElement == body) button.focus();
      if (latest[names] != turn || leaves) return;
      if (!status) return emit("failed") && (data ? to.prepend(note) : location.assign(address));
      // Another site may allow its page to be read, but that page does not belong in this one.
      if (new URL(end).origin != location.origin || (fails ? back : foreign && isNew)) return location.assign(end);

      if (!back && !fails && isNew && el.dataset.history != "none" && end != location.href) {
        history.replaceState({ ...history.state, scroll: scrollY }, "");
        history.pushState({}, "", end);
      }
      shown = path(location);
      if (fails && foreign) {
        const { detail, title } = /json/.test(type) ? JSON.parse(text) : page;
        note.textContent = detail || title || text;
        to.prepend(note);
      } else if (isHTML) {
        const parsed = doc.createElement("template");
        parsed.innerHTML = text;
        if (page) update(doc.documentElement, page.documentElement);
        else for (const part of /,/.test(sent || names) ? parsed.content.children : [parsed]) {
          const { block = first } = part.dataset, filled = block == first ? to : region(block);
          if (filled) morph(filled, part.content);
        }
        if (same && to.contains(el)) el.reset?.();
        if (fails) to.querySelector("[autofocus]")?.focus();
        if (back) scrollTo(0, history.state?.scroll ?? scrollY);
      }
      emit("done", { status, url: end });
    };
    xhr.send(data);
  };

  addEventListener("click", (event) => {
    const el = event.target.closest("a[data-block]");
    if (el && !(event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey ||
      el.hasAttribute("download") || el.hash && path(el) == shown))
      load(event, el, el.target, new URL(el));
  });

  addEventListener("submit", (event) => {
    const { target: el, submitter } = event;
    const given = (name) => submitter?.getAttribute("form" + name) || el.getAttribute(name);
    const address = new URL(given("action") || location, doc.baseURI), data = new FormData(el, submitter);
    const pairs = new URLSearchParams([...data].map(([name, value]) => [name, (value.name ?? value).replace(/\r?\n/g, "\r\n")]));
    const method = given("method"), isPOST = /post/i.test(method);
    if (!isPOST) address.search = pairs;
    if (el.matches("[data-block]") && !/dialog/i.test(method))
      load(event, el, given("target"), address, isPOST && (/^multi/i.test(given("enctype")) ? data : pairs), submitter);
  });

  addEventListener("beforeunload", () => leaves = 1);
  addEventListener("popstate", (event) => {
    if (path(location) == shown) return;
    latest = {};
    load(event, body, "", new URL(location));
  });
})();
