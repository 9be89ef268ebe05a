"""What a page consists of, to hold two pages against each other."""

ANATOMY = """() => {
  const names = [];
  const walk = (root) => {
    for (const element of root.querySelectorAll("*")) {
      const attributes = element.getAttributeNames().filter((name) => !name.startsWith("?lit$")).sort();
      names.push(element.localName + " " + attributes.join(" "));
      if (element.shadowRoot) walk(element.shadowRoot);
      if (element.localName === "template") walk(element.content);
    }
  };
  walk(document);
  return names;
}"""
"""Every element with the names of its attributes, inside shadow roots and templates too."""

TRACES = """() => ({
  hits: window.hits ?? null,
  planted: document.querySelectorAll("#planted, [name^=planted]").length,
  scripts: document.scripts.length,
  clobbered: [typeof document.body, typeof document.title, typeof window.fetch, typeof document.forms],
})"""
"""What a payload leaves behind that has run, or that only stands there."""
