"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const config = {
    responsive: true,
    displaylogo: false,
    showTips: false,
    typesetMath: false,
    // By default, Plotly offers to send a figure to its makers' server. These are data of people.
    // Only the buttons named here appear, and there is no server to send anything to.
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
    showSendToCloud: false,
    plotlyServerURL: "",
    toImageButtonOptions: { format: "svg", scale: 1 },
  };

  // ---------------------------------------------------------------- figures

  // A figure that differs from another in values only names it, and lists the values of each trace.
  const complete = (name) => {
    const { like, data } = figures[name];
    if (!like) return structuredClone(figures[name]);
    const figure = structuredClone(figures[like]);
    figure.data.forEach((trace, i) => Object.assign(trace, structuredClone(data[i])));
    return figure;
  };

  const draw = async (place) => {
    const name = place.dataset.figure;
    const figure = complete(name);
    const image = { ...config.toImageButtonOptions, filename: name };
    place.style.minHeight = `${figure.layout.height}px`;
    try {
      await Plotly.react(place, figure.data, figure.layout, {
        ...config,
        toImageButtonOptions: image,
      });
      place.dataset.drawn = name;
    } catch (error) {
      place.classList.add("failed");
      place.textContent = `This figure could not be drawn (${error.message}).`;
    }
  };

  const drawAll = async () => {
    const places = [...document.querySelectorAll("[data-figure]")];
    for (const place of places) {
      place.replaceChildren();
      await draw(place);
    }
    document.documentElement.dataset.drawn = String(places.length);
  };

  const choose = (viewer) => {
    const select = viewer.querySelector("select");
    if (!select) return;
    const place = document.getElementById(viewer.dataset.viewer);
    const show = () => {
      const option = select.selectedOptions[0];
      const title = viewer.querySelector("figure .title");
      const note = viewer.querySelector(".note");
      title.textContent = option.dataset.title;
      place.setAttribute("aria-label", `Figure: ${title.textContent}`);
      if (note) note.textContent = option.dataset.note;
      place.dataset.figure = select.value;
      draw(place);
    };
    select.addEventListener("change", show);
    for (const button of viewer.querySelectorAll("[data-move]")) {
      button.addEventListener("click", () => {
        const n = select.options.length;
        select.selectedIndex = (select.selectedIndex + Number(button.dataset.move) + n) % n;
        show();
      });
    }
  };

  // ---------------------------------------------------------------- scorecard

  const fold = (table) => {
    const few = Number(table.dataset.few);
    const rows = () => [...table.tBodies[0].rows];
    const total = rows().length;
    // a handful more is not worth a button
    if (total <= few + 4) return () => {};
    const holder = document.createElement("p");
    const button = document.createElement("button");
    let open = false;
    holder.className = "rest";
    button.type = "button";
    holder.append(button);
    table.parentElement.after(holder);
    const update = () => {
      rows().forEach((row, i) => { row.hidden = !open && i >= few; });
      button.textContent = open ? `Show the first ${few} only` : `Show all ${total} signals`;
      button.setAttribute("aria-expanded", String(open));
    };
    button.addEventListener("click", () => { open = !open; update(); });
    update();
    return update;
  };

  const sortable = (table) => {
    const update = fold(table);
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = head.querySelector("button");
      const byName = button.dataset.sort === "name";
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        const first = byName ? "ascending" : "descending";
        const second = byName ? "descending" : "ascending";
        const next = now === first ? second : first;
        const sign = next === "ascending" ? 1 : -1;
        const key = (row) => row.cells[column].dataset.sort;
        const rows = [...table.tBodies[0].rows].sort((a, b) => {
          if (byName) return sign * key(a).localeCompare(key(b), "en", { numeric: true });
          if (key(a) === "" || key(b) === "") return (key(a) === "") - (key(b) === "");
          return sign * (Number(key(a)) - Number(key(b)));
        });
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", next);
        table.tBodies[0].append(...rows);
        update();
      });
    });
  };

  // ---------------------------------------------------------------- the rest

  const copy = (button) => {
    const label = button.textContent;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(text.innerText);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text);
        button.textContent = "Selected: copy it with the keyboard";
      }
      setTimeout(() => { button.textContent = label; }, 2500);
    });
  };

  // figures are drawn for the width of the paper (those with many columns, reduced to it), and
  // everything folded is opened
  const paper = 680;
  const forPrint = (printing) => {
    for (const place of document.querySelectorAll("[data-drawn].drawing")) {
      const width = Math.max(paper, parseInt(place.style.minWidth, 10) || 0);
      place.style.zoom = printing ? String(paper / width) : "";
      Plotly.relayout(place, printing ? { width } : { width: null, autosize: true });
    }
    for (const fold of document.querySelectorAll("details")) {
      if (printing) fold.dataset.was = String(fold.open);
      fold.open = printing || fold.dataset.was === "true";
    }
  };

  document.querySelectorAll("[data-viewer]").forEach(choose);
  document.querySelectorAll("table[data-few]").forEach(sortable);
  document.querySelectorAll("[data-copy]").forEach(copy);
  document.querySelectorAll("[data-columns]").forEach((box) => {
    const table = document.getElementById(box.dataset.columns);
    box.addEventListener("change", () => table.classList.toggle("every", box.checked));
  });
  addEventListener("beforeprint", () => forPrint(true));
  addEventListener("afterprint", () => forPrint(false));
  drawAll();
})();
