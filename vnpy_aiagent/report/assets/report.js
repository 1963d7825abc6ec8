"use strict";
(function () {
  const data = JSON.parse(document.getElementById("chart-data").textContent);
  const strong = ["#2a78c2", "#d1622b", "#1f9e74", "#8a5fc7", "#b8860b"];
  const muted = ["#8c96a3", "#b07aa1", "#c2a23c", "#5fa8b8", "#a0785a"];
  const dashes = ["dash", "dot", "dashdot", "longdash", "longdashdot"];
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function traces(key, unit) {
    const used = [0, 0];
    return data.series.map(function (series) {
      const place = used[series.baseline ? 1 : 0]++;
      return {
        type: "scatter", mode: series.days.length > 1 ? "lines" : "markers", name: series.name, x: series.days, y: series[key],
        line: series.baseline
          ? { color: muted[place % muted.length], width: 1.3, dash: dashes[place % dashes.length] }
          : { color: strong[place % strong.length], width: 2 },
        hovertemplate: "%{y:,.2f} " + unit + "<extra>%{fullData.name}</extra>",
      };
    });
  }

  function layout(title, node) {
    const style = getComputedStyle(document.documentElement);
    const grid = style.getPropertyValue("--line").trim();
    const narrow = node.clientWidth < 560;
    const days = data.series.length ? data.series[0].days : [];
    const span = days.length ? (new Date(days[days.length - 1]) - new Date(days[0])) / 86400000 : 0;
    return {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: style.getPropertyValue("--text").trim(), size: narrow ? 11 : 12, family: getComputedStyle(document.body).fontFamily },
      margin: { l: narrow ? 58 : 84, r: 12, t: 10, b: narrow ? 120 : 90 },
      hovermode: narrow ? "closest" : "x unified",
      hoverlabel: { bgcolor: style.getPropertyValue("--panel").trim(), font: { color: style.getPropertyValue("--text").trim() } },
      showlegend: true,
      legend: { orientation: "h", x: 0, xanchor: "left", y: narrow ? -0.24 : -0.2, yanchor: "top" },
      xaxis: {
        title: { text: data.dateTitle, standoff: 8 }, gridcolor: grid, linecolor: grid, zeroline: false, type: "date",
        tickformat: span > 150 ? "%Y-%m" : "%m-%d", hoverformat: "%Y-%m-%d", nticks: narrow ? 5 : 12, automargin: true,
      },
      yaxis: { title: { text: title, standoff: 8 }, gridcolor: grid, zeroline: false, automargin: true, tickformat: "," },
    };
  }

  function draw() {
    [["equity", data.equityTitle, data.equityUnit], ["drawdown", data.drawdownTitle, "%"]].forEach(function (chart) {
      const node = document.getElementById(chart[0]);
      Plotly.react(node, traces(chart[0], chart[2]), layout(chart[1], node), { responsive: true, displaylogo: false, displayModeBar: false });
    });
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
