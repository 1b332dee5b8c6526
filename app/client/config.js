// The API's base address without a trailing slash; "" means the page's own origin.
// The stack overwrites this file when it publishes the page.
export default { apiUrl: "" };
