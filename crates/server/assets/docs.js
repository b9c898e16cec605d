// Starts the documentation page over this server's own description.
window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  // The page talks to this server alone.
  validatorUrl: null,
});
