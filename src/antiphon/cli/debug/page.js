const button = document.getElementById("copy");
const text = document.getElementById("text");
const told = document.getElementById("told");
async function copy() {
  try {
    await navigator.clipboard.writeText(text.textContent);
    return true;
  } catch {
    text.closest("details").open = true;
    getSelection().selectAllChildren(text);
    return document.execCommand("copy");
  }
}
for (const mark of document.querySelectorAll("mark")) {
  const box = mark.closest("pre");
  const beyond = mark.getBoundingClientRect().left - box.getBoundingClientRect().right;
  if (beyond > -80) box.scrollLeft += beyond + box.clientWidth * 0.7;
}
button.hidden = false;
button.addEventListener("click", async () => {
  told.textContent = (await copy()) ? "Copied." : "Press Ctrl+C to copy the selected text.";
});
