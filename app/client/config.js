// apiUrl is the API's base address, without a trailing slash. "" means the page's own origin.
// The stack replaces this file when it publishes the page.
export default { apiUrl: "" };
