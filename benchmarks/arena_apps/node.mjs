// Node's own http module, as its documentation shows it: the same profiles, without a framework.
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const dataset = JSON.parse(readFileSync("/data/dataset.json", "utf8"));
const compress = promisify(gzip);
const types = {
  ".css": "text/css", ".js": "text/javascript", ".html": "text/html", ".svg": "image/svg+xml",
  ".json": "application/json", ".webp": "image/webp", ".woff2": "font/woff2",
};

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function respond(request, response) {
  const url = new URL(request.url, "http://localhost");
  const query = url.searchParams;
  if (url.pathname === "/baseline11") {
    let total = Number(query.get("a")) + Number(query.get("b"));
    if (request.method === "POST") total += Number(await body(request));
    response.setHeader("content-type", "text/plain");
    response.end(String(total));
  } else if (url.pathname.startsWith("/json/")) {
    const m = Number(query.get("m"));
    const items = dataset.slice(0, Number(url.pathname.slice(6)))
      .map((item) => ({ ...item, total: item.price * item.quantity * m }));
    response.setHeader("content-type", "application/json");
    const text = JSON.stringify({ items, count: items.length });
    if (/\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) {
      response.setHeader("content-encoding", "gzip");
      response.end(await compress(text));
    } else response.end(text);
  } else if (url.pathname === "/upload") {
    let size = 0;
    for await (const chunk of request) size += chunk.length;
    response.setHeader("content-type", "text/plain");
    response.end(String(size));
  } else if (url.pathname.startsWith("/static/")) {
    const name = normalize(url.pathname.slice(7));
    response.setHeader("content-type", types[extname(name)] ?? "application/octet-stream");
    response.end(await readFile(join("/data/static", name)));
  } else throw Object.assign(new Error(), { code: "ENOENT" });
}

createServer((request, response) => {
  respond(request, response).catch((error) => {
    response.statusCode = error.code === "ENOENT" ? 404 : 500;
    response.end();
  });
}).listen(Number(process.env.PORT));
