// Node's own server. Its handlers all run on the loop.
const crypto = require("node:crypto")
const rounds = Number(process.env.BENCH_ROUNDS)
const parts = { "/async": 1, "/def": 1, "/cheap": 0.1, "/dear": 5 }

function work(part) {
  let digest = Buffer.alloc(0)
  for (let i = 0; i < rounds * part; i++) digest = crypto.createHash("sha256").update(digest).digest()
  return digest.toString("hex")
}

require("node:http").createServer(async (request, response) => {
  if (request.url === "/wait") {
    await new Promise(done => setTimeout(done, 5))
    return response.end(work(0.03))
  }
  if (request.url === "/slow") {
    await new Promise(done => setTimeout(done, 500))
    return response.end(work(1))
  }
  if (request.url === "/upload") {
    for await (const _ of request);
    return response.end(work(1))
  }
  if (request.url !== "/stream") return response.end(work(parts[request.url]))
  for (let i = 0; i < 3; i++) {
    response.write(work(1 / 3))
    await new Promise(done => setTimeout(done, 100))
  }
  response.end()
}).listen(Number(process.argv[2]), "127.0.0.1")
