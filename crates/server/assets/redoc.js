// Starts the reading page over this server's own description. Its search would run in a worker
// made from a blob, which the page's policy does not allow.
Redoc.init("/openapi.json", { disableSearch: true }, document.getElementById("docs"));
