// A tab of a browser with the agent's chat, as useChat has it: commands come in lines, its messages go out.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { AbstractChat, DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } from "ai";
import { HttpAgent } from "@ag-ui/client";

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
  async agent(resume) {
    const agent = new HttpAgent({ url: url(`/agent/${id}`), headers, threadId: id });
    let text = "", outcome, error;
    await agent.runAgent(resume ? { resume: [JSON.parse(resume)] } : {}, {
      onTextMessageContentEvent: ({ event }) => { text += event.delta; },
      onRunFinishedEvent: (told) => { outcome = told.interrupts?.[0] ?? told.outcome; },
      onRunErrorEvent: ({ event }) => { error = event.code; },
    }).catch((failure) => { error = String(failure); });
    console.log(JSON.stringify({ text, outcome, error }));
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...rest] = line.split(" ");
  await commands[name](rest.join(" "));
  if (name !== "agent") console.log(JSON.stringify({ text: shown(), status: chat.status, error: chat.error?.message }));
}
