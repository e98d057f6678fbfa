"use strict";
(() => {
  const { tables, links } = JSON.parse(document.getElementById("data").textContent);
  const board = document.getElementById("board"), lines = document.getElementById("lines");
  const find = document.getElementById("find"), hits = document.getElementById("hits");
  const said = document.getElementById("said"), values = document.getElementById("values");
  const clear = document.getElementById("clear"), flows = document.getElementById("flows");
  const SHOWN = 12, LISTED = 40, ROWS = 400, TALL = 40;
  const key = (table, column) => table + "\u0000" + column;
  const name = (table, column) => tables[table].id + (column ? "." + column : "");

  // of each column, and of each table's rows (""), what flows in and out
  const into = new Map(), out = new Map();
  const put = (map, at, link) => { if (!map.has(at)) map.set(at, []); map.get(at).push(link); };
  for (const link of links) { put(out, key(link[0], link[1]), link); put(into, key(link[2], link[3]), link); }
  const follows = (link) => !values.checked || link[4] === "value" || link[4] === "field" || link[4] === "step";

  // cards, level by level
  const make = (tag, text, className) => {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  // a long name breaks at its dots and underscores
  const titled = (made, text) => {
    text.split(/(?<=[._])/).forEach((part, at) => { if (at) made.append(document.createElement("wbr")); made.append(part); });
    return made;
  };
  const cards = [], items = new Map();
  const levels = Math.max(0, ...tables.map((table) => table.level)) + 1;
  for (let level = 0; level < levels; level++) {
    const lane = make("div", "", "level");
    tables.forEach((table, index) => {
      if (table.level !== level) return;
      const card = make("section", "", "table");
      card.dataset.table = table.id;
      card.append(titled(make("h3"), table.id));
      const count = table.columns.length;
      card.append(make("p", table.kind + (count ? " · " + count + (count === 1 ? " column" : " columns") : "") + (table.note ? " · " + table.note : ""), "about"));
      const list = make("ul", "", "cols");
      const add = (column, label) => {
        const item = make("li"), button = titled(make("button"), label);
        button.type = "button";
        button.addEventListener("click", () => choose(index, column));
        item.append(button);
        list.append(item);
        items.set(key(index, column), item);
        return item;
      };
      if (!count) add("", "(the whole)");
      table.columns.forEach((column, at) => { add(column, column).hidden = at >= SHOWN; });
      if (count > SHOWN) {
        const more = make("li", "", "more"), button = make("button", "… " + (count - SHOWN) + " more");
        button.type = "button";
        button.addEventListener("click", () => {
          for (const item of list.children) item.hidden = false;
          more.remove();
        });
        more.append(button);
        list.append(more);
      }
      card.append(list);
      lane.append(card);
      cards[index] = card;
    });
    board.append(lane);
  }

  const walk = (start, map, end) => {
    const seen = new Set([start]), found = new Set(), todo = [start];
    while (todo.length) {
      for (const link of map.get(todo.pop()) || []) {
        if (!follows(link)) continue;
        found.add(link);
        const other = key(link[end], link[end + 1]);
        if (!seen.has(other)) { seen.add(other); todo.push(other); }
      }
    }
    return [seen, found];
  };

  let chosen = null;
  const choose = (table, column) => {
    chosen = [table, column];
    const start = key(table, column);
    const [up, before] = walk(start, into, 0), [down, after] = walk(start, out, 2);
    board.classList.add("choosing");
    for (const card of cards) card.classList.remove("reached", "tall");
    for (const item of items.values()) item.classList.remove("lit", "chosen");
    for (const at of new Set([...up, ...down])) {
      const [index] = at.split("\u0000"), item = items.get(at);
      cards[index].classList.add("reached");
      if (item) { item.classList.add("lit"); item.hidden = false; }
    }
    items.get(start)?.classList.add("chosen");
    // of a table that is reached by hundreds of columns the list scrolls, and lines end at its name
    for (const card of cards) card.classList.toggle("tall", card.querySelectorAll(".lit").length > TALL);
    const all = [...before, ...after];
    said.textContent = name(table, column) + ": " + (up.size - 1) + " before it, " + (down.size - 1) + " after it";
    clear.hidden = false;
    tell(all);
    draw(all);
    if (location.hash.slice(1) !== encodeURIComponent(name(table, column))) history.replaceState(null, "", "#" + encodeURIComponent(name(table, column)));
  };

  const tell = (all) => {
    const rows = all.slice(0, ROWS).map((link) => {
      const row = make("tr"), text = make("td");
      text.append(make("code", link[5]));
      row.append(make("td", name(link[0], link[1])), make("td", name(link[2], link[3])), make("td", link[4]), text);
      return row;
    });
    document.getElementById("rows").replaceChildren(...rows);
    flows.hidden = !rows.length;
    if (all.length > ROWS) said.textContent += "; the first " + ROWS + " of " + all.length + " flows are listed";
  };

  const draw = (all) => {
    const home = board.getBoundingClientRect(), drawn = new Map();
    const spot = (table, column, right) => {
      const item = items.get(key(table, column));
      const owner = item && item.classList.contains("lit") && !cards[table].classList.contains("tall") ? item : cards[table].querySelector("h3");
      const box = owner.getBoundingClientRect();
      return [(right ? box.right : box.left) - home.left + board.scrollLeft, box.top + box.height / 2 - home.top + board.scrollTop];
    };
    for (const link of all) {
      if (link[0] === link[2]) continue;
      const [x1, y1] = spot(link[0], link[1], true), [x2, y2] = spot(link[2], link[3], false), bend = Math.max(24, (x2 - x1) / 2);
      const d = `M${x1.toFixed(1)} ${y1.toFixed(1)}C${(x1 + bend).toFixed(1)} ${y1.toFixed(1)} ${(x2 - bend).toFixed(1)} ${y2.toFixed(1)} ${x2.toFixed(1)} ${y2.toFixed(1)}`;
      if (!drawn.get(d)) drawn.set(d, link[4] === "value");
    }
    const paths = [...drawn].map(([d, plain]) => {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", d);
      if (!plain) path.setAttribute("class", "other");
      return path;
    });
    lines.setAttribute("width", board.scrollWidth);
    lines.setAttribute("height", board.scrollHeight);
    lines.replaceChildren(...paths);
  };

  const release = () => {
    chosen = null;
    board.classList.remove("choosing");
    for (const item of items.values()) item.classList.remove("lit", "chosen");
    lines.replaceChildren();
    flows.hidden = clear.hidden = true;
    said.textContent = "";
    history.replaceState(null, "", location.pathname + location.search);
  };

  const search = () => {
    const wanted = find.value.trim().toLowerCase(), found = [];
    if (wanted) {
      for (let index = 0; index < tables.length && found.length <= LISTED; index++) {
        for (const column of tables[index].columns.length ? tables[index].columns : [""]) {
          if (name(index, column).toLowerCase().includes(wanted)) found.push([index, column]);
          if (found.length > LISTED) break;
        }
      }
    }
    hits.replaceChildren(...found.slice(0, LISTED).map(([index, column]) => {
      const item = make("li"), button = make("button", name(index, column));
      button.type = "button";
      button.addEventListener("click", () => choose(index, column));
      item.append(button);
      return item;
    }));
    if (wanted) said.textContent = found.length > LISTED ? "the first " + LISTED + "; type more of the name" : found.length + " found";
  };

  const named = (text) => {
    for (let index = 0; index < tables.length; index++) {
      for (const column of tables[index].columns.length ? tables[index].columns : [""]) {
        if (name(index, column) === text) return [index, column];
      }
    }
    return null;
  };
  const byAddress = () => {
    const found = named(decodeURIComponent(location.hash.slice(1)));
    if (found) choose(...found);
  };

  find.addEventListener("input", search);
  find.addEventListener("keydown", (event) => { if (event.key === "Enter") hits.querySelector("button")?.click(); });
  values.addEventListener("change", () => { if (chosen) choose(...chosen); });
  clear.addEventListener("click", release);
  addEventListener("keydown", (event) => { if (event.key === "Escape") release(); });
  addEventListener("resize", () => { if (chosen) choose(...chosen); });
  addEventListener("hashchange", byAddress);
  byAddress();
})();
