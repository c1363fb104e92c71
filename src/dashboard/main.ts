/** The page's entry. Main thread of the browser; cold. */
function showHost(): void {
  const line = document.getElementById('status');
  if (line !== null) line.textContent = `Feed at ${location.host}`;
}

showHost();
