// Sets the chosen colours before the first paint. It is a plain script, loaded in the head, so that a page in the
// dark never flashes white. Without a choice the system's preference counts (theme.css).
(() => {
  try {
    const choice = localStorage.getItem("theme");
    if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
  } catch { /* Storage may be forbidden; the system's preference is a good answer. */ }
})();
