// The tests of the monitor need a browser, and a package of npm: they are a task of their own.

Deno.test({
  name: "the monitor, in a browser (apt-get install chromium, then deno task test:monitor)",
  ignore: true,
  fn: () => {},
});
