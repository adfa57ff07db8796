import { upload } from "./../upload.js"

const told = form => form.querySelector("output")
const show = async response => {
  const value = await response.json()
  return `${response.status} ${response.headers.get("content-type")}\n${JSON.stringify(value, null, 2)}`
}

for (const form of document.querySelectorAll("form[data-show]")) form.addEventListener("submit", async event => {
  event.preventDefault()
  const text = form.querySelector("textarea")
  const sent = text ? { body: text.value, headers: { "content-type": "application/json" } } : { body: new FormData(form) }
  told(form).textContent = await show(await fetch(form.action, { method: "POST", ...sent }))
})

// Browsers leave what is focused as it is if a part of it can be seen.
document.querySelector(".ways").addEventListener("focusin", ({ target }) => target.scrollIntoView({ block: "nearest" }))

document.querySelector("#votes").addEventListener("submit", event => {
  event.preventDefault()
  fetch(event.target.action, { method: "POST", body: new FormData(event.target, event.submitter), redirect: "manual" })
})

const form = document.querySelector("#films"), file = form.querySelector("input")
const begun = Object.keys(localStorage).find(key => key.startsWith("upload "))
if (begun) told(form).textContent = "An upload has not ended. Choose the same file again, and it goes on."
form.addEventListener("submit", async event => {
  event.preventDefault()
  const bar = form.querySelector("progress")
  const progress = part => { bar.value = part; told(form).textContent = `${Math.floor(part * 100)} % have arrived` }
  told(form).textContent = await show(await upload(form.action, file.files[0], { size: 1 << 20, progress }))
  bar.value = 1
})
