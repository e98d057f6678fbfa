"use strict";
(() => {
  const box = document.getElementById("search");
  if (!box) return;
  const said = document.getElementById("found");
  const words = () => box.value.toLowerCase().split(/\s+/).filter((word) => word);
  const most = 8;

  // the index: tables by name, description and owner, and the columns that a word hits
  const entries = [...document.querySelectorAll(".entry")].map((entry) => {
    const columns = entry.dataset.columns.split("\n").filter((name) => name);
    const text = `${entry.dataset.name} ${entry.dataset.text}`.toLowerCase();
    return { entry, columns, text, names: columns.map((name) => name.toLowerCase()), hits: entry.querySelector(".hits") };
  });
  const tables = () => {
    const wanted = words();
    let shown = 0;
    for (const each of entries) {
      const open = wanted.filter((word) => !each.text.includes(word));
      const hits = open.length ? each.columns.filter((_, at) => open.every((word) => each.names[at].includes(word))) : [];
      const all = wanted.every((word) => each.text.includes(word) || each.names.some((name) => name.includes(word)));
      each.entry.classList.toggle("filtered", !all);
      shown += all ? 1 : 0;
      const links = all ? hits.slice(0, most) : [];
      each.hits.replaceChildren(...links.map((name) => {
        const link = document.createElement("a");
        link.href = `${each.entry.dataset.page}#c-${encodeURIComponent(name)}`;
        link.textContent = name;
        return link;
      }));
      if (hits.length > most && all) each.hits.append(`and ${hits.length - most} more`);
      each.hits.hidden = !links.length;
    }
    for (const layer of document.querySelectorAll(".layer")) {
      layer.classList.toggle("filtered", !layer.querySelector(".entry:not(.filtered)"));
    }
    said.textContent = wanted.length ? `${shown} of ${entries.length} tables` : "";
  };

  // a table's page: rows by any of their words
  const rows = box.dataset.rows ? [...document.querySelectorAll(`${box.dataset.rows} tbody tr`)] : [];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const columns = () => {
    const wanted = words();
    let shown = 0;
    rows.forEach((row, at) => {
      const hit = wanted.every((word) => texts[at].includes(word));
      row.classList.toggle("filtered", !hit);
      shown += hit ? 1 : 0;
    });
    said.textContent = wanted.length ? `${shown} of ${rows.length} columns` : "";
  };
  const look = rows.length ? columns : tables;
  box.addEventListener("input", look);
  document.addEventListener("keydown", (e) => {
    if (e.key === "/" && document.activeElement !== box) { e.preventDefault(); box.focus(); }
    if (e.key === "Escape" && document.activeElement === box) { box.value = ""; look(); }
  });
  if (box.value) look();
})();
