(() => {
  "use strict";
  const { signals, rows, values, shown } = JSON.parse(document.getElementById("study").textContent);
  const byId = (id) => document.getElementById(id);
  const labels = ["id", "group", "condition", "session"];
  const facts = [
    { key: "share", head: "imitated", form: (v) => (v === null ? "–" : `${Math.round(100 * v)}%`) },
    { key: "coverage", head: "seen", form: (v) => `${Math.round(100 * v)}%` },
    { key: "warnings", head: "warnings", form: (v) => String(v) },
  ];
  const fill = (select, options) => {
    for (const [value, text] of options) select.add(new Option(text, value));
  };
  fill(byId("value"), shown.map(({ name, meaning }) => [name, `${name}: ${meaning}`]));
  for (const key of labels.slice(1)) {
    const found = [...new Set(rows.map((row) => row[key]))].filter((text) => text !== "");
    fill(byId(key), [["", "all"], ...found.map((text) => [text, text])]);
    if (found.length === 0) byId(key).parentElement.hidden = true;
  }
  fill(byId("signal"), [["-1", "all signals"], ...signals.map((name, k) => [String(k), name])]);

  let sorted = { column: null, down: true };
  const chosen = () => shown.find(({ name }) => name === byId("value").value);
  const visible = () => {
    const text = byId("find").value.trim().toLowerCase();
    return rows.map((_, k) => k).filter((k) => labels.slice(1).every((key) => {
      const wanted = byId(key).value;
      return wanted === "" || rows[k][key] === wanted;
    }) && rows[k].id.toLowerCase().includes(text));
  };

  // ---------------------------------------------------------------- everybody

  const mix = (share) => {
    const t = Math.max(-1, Math.min(1, share));
    const [r, g, b] = t > 0 ? [152, 32, 47] : [21, 74, 128];
    const part = Math.abs(t) * 0.65;
    return `rgb(${[r, g, b].map((c) => Math.round(255 + (c - 255) * part)).join(",")})`;
  };
  const shade = (name, value) => {
    if (value === null) return "";
    if (name === "p_fwer") return value <= 0.05 ? mix(0.6) : "";
    return mix(value / { z: 8, latency: 2, gain: 2 }[name] || value);
  };
  const key = (column) => (k) => {
    if (typeof column === "number") return values[byId("value").value][k][column];
    return rows[k][column];
  };
  const order = (which) => {
    if (sorted.column === null) return which;
    const of = key(sorted.column);
    const sign = sorted.down ? -1 : 1;
    return [...which].sort((a, b) => {
      const [x, y] = [of(a), of(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      if (typeof x === "number") return sign * (x - y);
      return sign * x.localeCompare(y, "en", { numeric: true });
    });
  };
  const heading = (text, column, kind) => {
    const head = document.createElement("th");
    const button = document.createElement("button");
    head.scope = "col";
    head.className = kind;
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => {
      const first = typeof column === "number" || facts.some((fact) => fact.key === column);
      sorted = { column, down: sorted.column === column ? !sorted.down : first };
      drawTable();
    });
    if (sorted.column === column) head.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
    head.append(button);
    return head;
  };
  const AT_ONCE = 40;
  let drawn = 0;
  const used = labels.filter((name) => name === "id" || rows.some((row) => row[name] !== ""));
  const drawTable = () => {
    const { name, digits } = chosen();
    const table = byId("table");
    const top = document.createElement("tr");
    used.forEach((column) => top.append(heading(column, column, "")));
    facts.forEach((fact) => top.append(heading(fact.head, fact.key, "")));
    signals.forEach((signal, k) => top.append(heading(signal, k, "signal")));
    table.tHead.replaceChildren(top);
    const which = order(visible());
    const rowOf = (k) => {
      const row = document.createElement("tr");
      const who = document.createElement("th");
      who.scope = "row";
      if (rows[k].report) {
        const link = document.createElement("a");
        link.href = rows[k].report;
        link.textContent = rows[k].id;
        who.append(link);
      } else who.textContent = rows[k].id;
      row.append(who);
      for (const column of used.slice(1)) {
        const cell = row.insertCell();
        cell.className = "text";
        cell.textContent = rows[k][column];
      }
      for (const fact of facts) row.insertCell().textContent = fact.form(rows[k][fact.key]);
      values[name][k].forEach((value, j) => {
        const cell = row.insertCell();
        cell.textContent = value === null ? "–" : value.toFixed(digits);
        cell.style.background = shade(name, value);
        const p = values.p_fwer[k][j];
        if (p !== null && p <= 0.05) cell.className = "beyond";
      });
      return row;
    };
    // what is seen at once, then the rest in pieces, between which the page can answer
    const mine = ++drawn;
    const body = table.tBodies[0];
    body.replaceChildren();
    const add = (first) => {
      if (mine !== drawn) return;
      body.append(...which.slice(first, first + AT_ONCE).map(rowOf));
      if (first + AT_ONCE < which.length) setTimeout(() => add(first + AT_ONCE));
    };
    add(0);
    byId("count").textContent = `${which.length} of ${rows.length} pairs`;
  };

  // ---------------------------------------------------------------- by group

  const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
  const svg = (kind, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const drawDots = () => {
    const { name, digits } = chosen();
    const signal = Number(byId("signal").value);
    const people = new Map();
    for (const k of visible()) {
      const row = values[name][k].filter((value, j) => value !== null && (signal < 0 || j === signal));
      if (row.length === 0) continue;
      const place = JSON.stringify([rows[k].group, rows[k].condition]);
      if (!people.has(place)) people.set(place, new Map());
      const group = people.get(place);
      group.set(rows[k].id, [...(group.get(rows[k].id) ?? []), mean(row)]);
    }
    const sets = [...people].map(([place, group]) => [JSON.parse(place), [...group.values()].map(mean)]);
    const all = sets.flatMap(([, list]) => list);
    const drawing = byId("dots");
    drawing.replaceChildren();
    const [left, height, line] = [60, 260, 130];
    drawing.setAttribute("width", left + line * Math.max(1, sets.length) + 20);
    drawing.setAttribute("height", height + 60);
    if (all.length === 0) return;
    let [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
    if (low === high) high = low + 1;
    const y = (value) => 15 + (height - 15) * (1 - (value - low) / (high - low));
    for (const value of [low, 0, high]) {
      drawing.append(svg("line", { class: "axis", x1: left, x2: left + line * sets.length, y1: y(value), y2: y(value) }));
      drawing.append(svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(digits)));
    }
    sets.forEach(([[group, condition], list], k) => {
      const x = left + line * (k + 0.5);
      const near = new Map();
      [...list].sort((a, b) => a - b).forEach((value) => {
        const step = Math.round(y(value) / 6);
        const n = near.get(step) ?? 0;
        near.set(step, n + 1);
        const aside = (n % 2 ? 1 : -1) * Math.ceil(n / 2) * 7;
        drawing.append(svg("circle", { cx: x + Math.max(-50, Math.min(50, aside)), cy: y(value), r: 4 }));
      });
      const middle = mean(list);
      drawing.append(svg("line", { class: "mean", x1: x - 26, x2: x + 26, y1: y(middle), y2: y(middle) }));
      const words = [group, condition].filter((text) => text !== "").join(", ") || "everybody";
      drawing.append(svg("text", { x, y: height + 24, "text-anchor": "middle" }, words));
      drawing.append(svg("text", { x, y: height + 42, "text-anchor": "middle" }, `n = ${list.length}`));
    });
  };

  const draw = () => { drawTable(); drawDots(); };
  for (const id of ["value", "group", "condition", "session"]) byId(id).addEventListener("change", draw);
  byId("find").addEventListener("input", draw);
  byId("signal").addEventListener("change", drawDots);
  draw();
})();
