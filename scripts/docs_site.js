// What the theme leaves out of its pages for those who use a keyboard or a screen reader.
(() => {
  const look = () => {
    // Each button that copies code is in a landmark, and all of these have the same name.
    document.querySelectorAll("nav.md-code__nav").forEach(each => each.setAttribute("role", "none"));
    // A part of a page's contents is a landmark, and may have the name of a part of the navigation.
    document.querySelectorAll(".md-nav--secondary nav").forEach(each => {
      each.setAttribute("role", "none");
      each.removeAttribute("aria-label");
    });
    // What is wider than the screen can be scrolled by the keyboard, also where the theme has found no mouse.
    document.querySelectorAll(".md-typeset :is(pre > code, .md-typeset__scrollwrap)").forEach(each => {
      if (each.scrollWidth > each.clientWidth && each.tabIndex < 0) each.tabIndex = 0;
    });
    // A cell without text is the head of no column.
    document.querySelectorAll(".md-typeset th:empty").forEach(each => each.setAttribute("role", "cell"));
  };

  const changes = { childList: true, subtree: true, attributeFilter: ["tabindex"] };
  new MutationObserver(look).observe(document.documentElement, changes);
  addEventListener("resize", look);
  look();
})();
