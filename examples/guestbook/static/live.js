// Shows entries that others write as soon as live.py sends them. Without this script they appear on the next page.
(() => {
  const list = () => document.querySelector("[data-live]");
  const received = new Map();
  let address, attempts = 0;

  // Forms and links fill the list again, perhaps with entries older than the newest ones received.
  const show = () => {
    const entries = list();
    if (!entries || new URLSearchParams(location.search).has("before")) return;
    for (const [id, html] of received) {
      if (id <= entries.dataset.last || document.getElementById(`entry-${id}`)) continue;
      entries.querySelector(":scope > p")?.remove();
      entries.insertAdjacentHTML("afterbegin", html);
    }
  };

  const connect = () => {
    const socket = new WebSocket(address);
    socket.onopen = () => { attempts = 0; };
    socket.onmessage = ({ data }) => {
      const { id, html } = JSON.parse(data);
      address.searchParams.set("last", id);
      received.set(id, html);
      show();
    };
    socket.onclose = ({ code }) => {
      if (code === 1008) return; // refused: there is no use in trying again
      const most = Math.min(30_000, 500 * 2 ** attempts++); // not all windows at once, after a restart
      setTimeout(connect, most / 2 + Math.random() * most / 2);
    };
  };

  if (!list()) return;
  address = new URL(list().dataset.live, location);
  address.protocol = address.protocol.replace("http", "ws");
  address.searchParams.set("last", list().dataset.last);
  addEventListener("block:done", show);
  connect();
})();
