// What the first frame must know before the page's script is there: whether the address names the root of the tree, whose
// rows the server may have written into the document (FirstView.swift), and how wide the tree is.

if (location.hash !== "" && location.hash !== "#/") document.documentElement.classList.add("elsewhere");

document.documentElement.style.setProperty("--tree-width", `${Number(localStorage.getItem("tree-width")) || 46}%`);
