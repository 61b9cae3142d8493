/**
 * The script of the pages: rows are moved between and opened by keys, as the ARIA pattern of a treegrid has it. What it
 * shows is put in as text, never as HTML. Without it all rows are there, but for their details.
 *
 * Source: ARIA Authoring Practices Guide, "Treegrid pattern", keyboard interaction with focus on rows.
 */
export const script = `"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const said = document.getElementById("said");
  const level = (row) => Number(row.getAttribute("aria-level"));

  const make = (name, text, className) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (className !== undefined) element.className = className;
    return element;
  };

  const detailOf = (row) => {
    const detail = make("tr", undefined, "detail");
    detail.id = row.id + "-detail";
    const cell = make("td");
    cell.colSpan = row.cells.length;
    const list = make("dl");
    for (const [name, text] of data[row.id] || []) {
      list.append(make("dt", name));
      const value = make("dd");
      value.append(make("pre", text));
      list.append(value);
    }
    cell.append(list);
    detail.append(cell);
    detail.setAttribute("role", "row");
    cell.setAttribute("role", "gridcell");
    return detail;
  };

  for (const table of document.querySelectorAll("table[role=treegrid]")) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const places = new Map(rows.map((row, index) => [row, index]));
    let current = rows[0];

    const focus = (row) => {
      if (row === undefined) return;
      current.tabIndex = -1;
      current = row;
      row.tabIndex = 0;
      row.focus();
      row.scrollIntoView({ block: "nearest" });
    };
    const next = (row, step) => {
      for (let at = places.get(row) + step; at >= 0 && at < rows.length; at += step) if (!rows[at].hidden) return rows[at];
    };
    const parent = (row) => {
      for (let at = places.get(row) - 1; at >= 0; at--) if (level(rows[at]) < level(row)) return rows[at];
    };
    const close = (row) => {
      const detail = document.getElementById(row.id + "-detail");
      if (detail === null) return false;
      detail.remove();
      row.removeAttribute("aria-details");
      said.textContent = "Details closed";
      return true;
    };
    const toggle = (row) => {
      if (close(row)) return;
      const detail = detailOf(row);
      row.after(detail);
      row.setAttribute("aria-details", detail.id);
      said.textContent = "Details: " + (data[row.id] || []).map(([name, text]) => name + " " + text).join(", ").slice(0, 1000);
    };
    const expand = (row, isOpen) => {
      row.setAttribute("aria-expanded", String(isOpen));
      let hiddenBelow = Infinity;
      for (const one of rows) {
        const own = level(one);
        if (own <= hiddenBelow) hiddenBelow = Infinity;
        const isHidden = own > hiddenBelow;
        one.hidden = isHidden;
        if (isHidden) close(one);
        else if (one.getAttribute("aria-expanded") === "false") hiddenBelow = own;
      }
    };

    const keys = {
      ArrowDown: (row) => focus(next(row, 1)),
      ArrowUp: (row) => focus(next(row, -1)),
      Home: () => focus(rows[0]),
      End: () => focus(rows.findLast((row) => !row.hidden)),
      ArrowRight: (row) => {
        if (row.getAttribute("aria-expanded") === "false") expand(row, true);
        else if (row.hasAttribute("aria-expanded")) focus(next(row, 1));
      },
      ArrowLeft: (row) => {
        if (row.getAttribute("aria-expanded") === "true") expand(row, false);
        else focus(parent(row));
      },
      Enter: toggle,
      " ": toggle,
      Escape: close
    };
    body.addEventListener("keydown", (event) => {
      const row = event.target;
      if (!places.has(row) || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
      event.preventDefault();
      keys[event.key](row);
    });
    body.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (!places.has(row) || String(getSelection()) !== "") return;
      focus(row);
      toggle(row);
    });
  }
})();
`
