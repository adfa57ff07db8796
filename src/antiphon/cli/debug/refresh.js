const shown = document.documentElement.dataset.error;
async function isThere() {
  try {
    const response = await fetch(location.href, {headers: {accept: "text/html"}, cache: "no-store"});
    if ([502, 503, 504].includes(response.status)) return true;
    return (await response.text()).includes(`data-error="${shown}"`);
  } catch {
    return true;
  }
}
async function look() {
  if (document.hidden || await isThere()) setTimeout(look, 500);
  else location.reload();
}
look();
