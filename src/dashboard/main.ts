/** The page's entry. Main thread of the browser; cold. */
export {};

const statusLine = document.getElementById('status');
if (statusLine !== null) statusLine.textContent = `Feed at ${location.host}`;
