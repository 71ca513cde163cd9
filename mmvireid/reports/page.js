'use strict';
// Draws every plot from the values beside it, and again in the width of a printed page.
(() => {
  const axis = { gridcolor: '#eee', linecolor: '#999', zerolinecolor: '#ccc', automargin: true,
    exponentformat: 'e' };
  const config = { responsive: true, displaylogo: false, displayModeBar: false };
  const layoutOf = (own) => ({
    paper_bgcolor: '#fff', plot_bgcolor: '#fff', showlegend: false, hovermode: 'closest',
    font: { size: 11, color: '#1b1b1b' }, ...own,
    margin: { l: 44, r: 12, t: 18, b: 36, ...own.margin },
    xaxis: { ...axis, ...own.xaxis }, yaxis: { ...axis, ...own.yaxis },
  });
  const charts = [...document.querySelectorAll('.plot')].map((figure) => {
    const { data, layout } = JSON.parse(figure.querySelector('script').textContent);
    const chart = figure.querySelector('.chart');
    Plotly.newPlot(chart, data, layoutOf(layout), config);
    return chart;
  });
  // a sheet of A4 has 186 mm between its margins, 2 plots beside each other
  const sheet = 186 / 25.4 * 96;
  const fit = (widthOf) => charts.forEach((chart) => {
    Plotly.relayout(chart, { width: widthOf(chart), autosize: widthOf(chart) === null });
  });
  const printed = (chart) => {
    const figure = chart.closest('.plot').classList;
    const half = (sheet - 12) / 2;
    return (figure.contains('broad') ? sheet : figure.contains('square') ? 620 : half) - 16;
  };
  window.addEventListener('beforeprint', () => fit(printed));
  window.addEventListener('afterprint', () => fit(() => null));
})();
