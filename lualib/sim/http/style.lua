-- How bodies are written as JSON.
return {
  -- Real devices send the properties that every object has first, in this order.
  OBJECT = {
    sort = true,
    first = { "kind", "name", "partition", "subPath", "fullPath", "generation", "selfLink" },
  },
  -- The order of the properties of an error.
  ERROR = {
    sort = true,
    first = {
      "code", "message", "originalRequestBody", "referer", "restOperationId", "errorStack",
      "apiError",
    },
  },
}
