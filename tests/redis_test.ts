// The tests of queues across machines need a server, and a package of npm: they are a task of their own.

Deno.test({
  name: "queues in a Redis server (apt-get install redis-server, then deno task test:redis)",
  ignore: true,
  fn: () => {},
});
