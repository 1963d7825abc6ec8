"use strict";
(function () {
  const data = JSON.parse(document.getElementById("chart-data").textContent);
  const strong = ["#2a78c2", "#d1622b", "#1f9e74", "#8a5fc7", "#b8860b"];
  const muted = ["#8c96a3", "#b07aa1", "#c2a23c", "#5fa8b8", "#a0785a"];
  const dashes = ["dash", "dot", "dashdot", "longdash", "longdashdot"];
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function traces(key, unit) {
    const used = [0, 0];
    return data.series.filter(function (series) { return key in series; }).map(function (series) {
      const place = used[series.baseline ? 1 : 0]++;
      return {
        type: "scatter", mode: series.days.length > 1 ? "lines" : "markers", name: series.name, x: series.days, y: series[key],
        line: series.baseline
          ? { color: muted[place % muted.length], width: 1.3, dash: dashes[place % dashes.length] }
          : { color: strong[place % strong.length], width: 2 },
        connectgaps: false, hovertemplate: "%{y:,.2f} " + unit + "<extra>%{fullData.name}</extra>",
      };
    });
  }

  function layout(title, node, count) {
    const style = getComputedStyle(document.documentElement);
    const grid = style.getPropertyValue("--line").trim();
    const narrow = node.clientWidth < 560;
    const legend = narrow ? 20 * count : 20 * Math.ceil(count / 3);
    const days = data.series.length ? data.series[0].days : [];
    const span = days.length ? (new Date(days[days.length - 1]) - new Date(days[0])) / 86400000 : 0;
    return {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: style.getPropertyValue("--text").trim(), size: narrow ? 11 : 12, family: getComputedStyle(document.body).fontFamily },
      margin: { l: narrow ? 58 : 84, r: 12, t: 10, b: 62 + legend }, height: (narrow ? 320 : 360) + legend,
      hovermode: narrow ? "closest" : "x unified",
      hoverlabel: { bgcolor: style.getPropertyValue("--panel").trim(), font: { color: style.getPropertyValue("--text").trim() } },
      showlegend: true,
      legend: { orientation: "h", x: 0, xanchor: "left", y: -0.24, yanchor: "top" },
      xaxis: {
        title: { text: data.dateTitle, standoff: 8 }, gridcolor: grid, linecolor: grid, zeroline: false, type: "date",
        tickformat: span > 150 ? "%Y-%m" : "%m-%d", hoverformat: "%Y-%m-%d", nticks: narrow ? 5 : 12, automargin: true,
      },
      yaxis: { title: { text: title, standoff: 8 }, gridcolor: grid, zeroline: false, automargin: true, tickformat: "," },
    };
  }

  function months() {
    const place = document.getElementById("months");
    if (!place) return;
    const style = getComputedStyle(document.documentElement);
    const colour = function (name) { return style.getPropertyValue(name).trim(); };
    const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    data.series.filter(function (series) { return series.months; }).forEach(function (series) {
      let node = document.getElementById("months-" + series.name);
      if (!node) {
        node = document.createElement("div");
        node.id = "months-" + series.name;
        place.appendChild(node);
      }
      const years = Array.from(new Set(series.months.map(function (each) { return each[0]; }))).sort();
      const rows = years.map(function (year) {
        return numbers.map(function (month) {
          const found = series.months.find(function (each) { return each[0] === year && each[1] === month; });
          return found ? found[2] : null;
        });
      });
      const most = Math.max.apply(null, series.months.map(function (each) { return Math.abs(each[2]); }).concat([0.01]));
      const narrow = place.clientWidth < 560;
      const text = rows.map(function (row) { return row.map(function (each) { return each === null ? "" : each.toFixed(1); }); });
      Plotly.react(node, [{
        type: "heatmap", x: numbers.map(String), y: years.map(String), z: rows, zmin: -most, zmax: most, showscale: false,
        colorscale: [[0, colour("--down")], [0.5, colour("--panel")], [1, colour("--up")]], xgap: 1, ygap: 1,
        text: text, texttemplate: "%{text}", textfont: { size: narrow ? 9 : 12 },
        hovertemplate: "%{y}-%{x}: %{z:.2f} %<extra></extra>",
      }], {
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", height: 74 + 26 * years.length,
        font: { color: colour("--text"), size: narrow ? 10 : 12, family: getComputedStyle(document.body).fontFamily },
        margin: { l: 40, r: 4, t: 30, b: 26 }, title: { text: series.name, x: 0, xanchor: "left", font: { size: 13 } },
        xaxis: { type: "category", fixedrange: true }, yaxis: { type: "category", autorange: "reversed", fixedrange: true },
      }, { responsive: true, displaylogo: false, displayModeBar: false });
    });
  }

  function draw() {
    [
      ["equity", data.equityTitle, data.equityUnit], ["drawdown", data.drawdownTitle, "%"],
      ["rolling", data.rollingTitle, ""], ["exposure", data.exposureTitle, "%"], ["cost", data.costTitle, data.equityUnit],
    ].forEach(function (chart) {
      const node = document.getElementById(chart[0]);
      if (!node) return;
      const lines = traces(chart[0], chart[2]);
      Plotly.react(node, lines, layout(chart[1], node, lines.length), { responsive: true, displaylogo: false, displayModeBar: false });
    });
    months();
  }

  function openTarget() {
    let node = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    const target = node;
    for (; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") node.open = true;
    }
    if (target) target.scrollIntoView();
  }

  draw();
  dark.addEventListener("change", draw);
  window.addEventListener("hashchange", openTarget);
  openTarget();
})();
