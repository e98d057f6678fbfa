"use strict";
(() => {
  const tip = document.getElementById("tip");
  const svgns = "http://www.w3.org/2000/svg";
  const put = (x, y) => {
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(6, Math.min(x + 14, innerWidth - box.width - 6)) + "px";
    tip.style.top = (y + box.height + 24 > innerHeight ? y - box.height - 12 : y + 16) + "px";
  };
  const say = (fill, x, y) => { tip.replaceChildren(); fill(tip); tip.hidden = false; put(x, y); };
  const hush = () => { tip.hidden = true; };

  // hover titles: shown at once, and on focus
  for (const title of document.querySelectorAll("svg title")) {
    const owner = title.parentNode, words = title.textContent;
    title.remove();
    if (!owner.hasAttribute("aria-label")) owner.setAttribute("aria-label", words);
    const fill = (to) => { to.textContent = words; };
    owner.addEventListener("pointermove", (e) => { e.stopPropagation(); say(fill, e.clientX, e.clientY); });
    owner.addEventListener("pointerleave", hush);
    owner.addEventListener("focus", () => {
      if (!owner.matches(":focus-visible")) return;
      const box = owner.getBoundingClientRect();
      say(fill, box.left, box.bottom - 8);
    });
    owner.addEventListener("blur", hush);
  }

  // a reading of all curves under the pointer
  const at = (points, x) => {
    for (let i = 1; i < points.length; i++) {
      const [a, b] = [points[i - 1], points[i]];
      if ((a[0] <= x && x <= b[0]) || (b[0] <= x && x <= a[0])) {
        return a[0] === b[0] ? b[1] : a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0]);
      }
    }
    return null;
  };
  for (const area of document.querySelectorAll(".reader")) {
    const curves = JSON.parse(area.dataset.curves), cursor = document.createElementNS(svgns, "line");
    const [left, top, width, height] = ["x", "y", "width", "height"].map((key) => Number(area.getAttribute(key)));
    cursor.setAttribute("class", "cursor");
    area.parentNode.insertBefore(cursor, area);
    area.addEventListener("pointermove", (e) => {
      const box = area.getBoundingClientRect(), part = Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
      const x = part * Number(area.dataset.high);
      for (const [key, value] of [["x1", left + part * width], ["x2", left + part * width], ["y1", top], ["y2", top + height]]) {
        cursor.setAttribute(key, value);
      }
      cursor.style.display = "";
      say((to) => {
        to.append(`${area.dataset.x} ${x.toFixed(3)}`);
        const read = curves.map((curve) => [curve, at(curve.points, x)]).filter((pair) => pair[1] !== null);
        for (const [curve, y] of read.sort((a, b) => b[1] - a[1])) {
          const row = document.createElement("div"), chip = document.createElement("i");
          chip.className = curve.style;
          row.append(chip, `${curve.name} ${y.toFixed(3)}`);
          to.append(row);
        }
      }, e.clientX, e.clientY);
    });
    area.addEventListener("pointerleave", () => { cursor.style.display = "none"; hush(); });
  }

  // lineage: what a node is made from, and what is made from it
  for (const graph of document.querySelectorAll("svg.graph")) {
    const nodes = new Map([...graph.querySelectorAll(".node")].map((node) => [node.dataset.node, node]));
    const edges = [...graph.querySelectorAll(".edge")];
    let kept = null;
    const reach = (start, from, to) => {
      const seen = new Set([start]), todo = [start], ways = new Set();
      while (todo.length) {
        const here = todo.pop();
        for (const edge of edges) {
          if (edge.dataset[from] !== here) continue;
          ways.add(edge);
          if (!seen.has(edge.dataset[to])) { seen.add(edge.dataset[to]); todo.push(edge.dataset[to]); }
        }
      }
      return [seen, ways];
    };
    const light = (id) => {
      for (const each of graph.querySelectorAll(".on, .here")) each.classList.remove("on", "here");
      graph.classList.toggle("lit", id !== null);
      if (id === null) return;
      const [down, downWays] = reach(id, "from", "to"), [up, upWays] = reach(id, "to", "from");
      for (const each of [...down, ...up]) nodes.get(each).classList.add("on");
      for (const each of [...downWays, ...upWays]) each.classList.add("on");
      nodes.get(id).classList.add("here");
    };
    for (const [id, node] of nodes) {
      node.addEventListener("pointerenter", () => { if (kept === null) light(id); });
      node.addEventListener("pointerleave", () => light(kept));
      node.addEventListener("focus", () => light(id));
      node.addEventListener("blur", () => light(kept));
      const keep = () => { kept = kept === id ? null : id; light(kept); };
      node.addEventListener("click", keep);
      node.addEventListener("keydown", (e) => {
        if (e.key === "Enter" || e.key === " ") { e.preventDefault(); keep(); }
        if (e.key === "Escape") { kept = null; light(null); }
      });
    }
  }

  // light or dark, against what the system says
  const button = document.getElementById("scheme"), root = document.documentElement;
  const dark = () => (root.dataset.scheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { button.textContent = dark() ? "Light" : "Dark"; button.setAttribute("aria-label", dark() ? "Use the light scheme" : "Use the dark scheme"); };
  button.hidden = false;
  button.addEventListener("click", () => { root.dataset.scheme = dark() ? "light" : "dark"; label(); });
  label();
})();
