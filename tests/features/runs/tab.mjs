// A tab of a browser with the agent's chat, as useChat has it: commands come in lines, its messages go out.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { AbstractChat, DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } from "ai";

const [place, id] = process.argv.slice(2);
const headers = { authorization: "Bearer of-ann" };
const url = (path) => readFileSync(place, "utf8").trim() + path; // the address after a restart

class State {
  messages = []; status = "ready"; error = undefined;
  pushMessage = (message) => { this.messages = [...this.messages, message]; };
  popMessage = () => { this.messages = this.messages.slice(0, -1); };
  replaceMessage = (at, message) => { this.messages = this.messages.map((each, n) => (n === at ? message : each)); };
  snapshot = (value) => structuredClone(value);
}
class Chat extends AbstractChat {}

let chat, run;
async function load() {
  const history = await (await fetch(url(`/api/chats/${id}`), { headers })).json();
  chat = new Chat({
    id, state: new State(), sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
    transport: new DefaultChatTransport({
      headers, fetch: (path, init) => fetch(url(path), init), api: `/api/chats/${id}`,
      prepareReconnectToStreamRequest: () => ({ api: `/api/chats/${id}/stream?run=${history.run ?? ""}`, headers }),
    }),
  });
  chat.messages = history.messages;
  await chat.resumeStream();
}
const shown = () => chat.lastMessage?.parts.map((part) => part.text ?? `[${part.type} ${part.state ?? ""}]`).join("");
const commands = {
  load,
  send: (text) => chat.sendMessage({ text }),
  reply: (approved) => chat.addToolApprovalResponse({
    id: chat.lastMessage.parts.findLast((part) => part.state === "approval-requested").approval.id,
    approved: approved === "yes",
  }).then(async () => { while (["submitted", "streaming"].includes(chat.status)) await new Promise((go) => setTimeout(go, 20)); }),
};
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...rest] = line.split(" ");
  await commands[name](rest.join(" "));
  console.log(JSON.stringify({ text: shown(), status: chat.status, error: chat.error?.message }));
}
