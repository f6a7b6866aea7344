// Whole programs, each run by `deno run`: their output, their exit codes, and that they end.

import assert from "node:assert/strict";
import { both, granted, needs, prints, run } from "../support/programs.ts";

both(
  "a program waits for a child that nobody joined",
  "unjoined_child.ts",
  [],
  prints(0, "main done", "child done"),
);

both(
  "a daemon, and its child, end with the program, even in a loop without end",
  "unjoined_daemon.ts",
  [],
  prints(0, "main done"),
);

both(
  "a daemon can be waited for",
  "awaited_daemon.ts",
  [],
  prints(0, "result: done", "joined: true 0"),
);

both(
  "a child's daemon ends with the child",
  "daemon_of_child.ts",
  [],
  prints(0, "child done", "main done: 0"),
);

both(
  "a child's daemon ends when the child is killed",
  "daemon_of_killed.ts",
  [],
  prints(0, "main done: -9"),
);

both(
  "a program waits for a child of a child",
  "child_of_child.ts",
  [],
  prints(0, "child starts another", "main done", "child of child done"),
);

both(
  "a program waits for a child of a child that was killed",
  "child_of_child.ts",
  ["kill"],
  prints(0, "child starts another", "main done", "child of child done"),
);

both(
  "a program ends after its child was killed while blocked in getSync",
  "killed_in_get_sync.ts",
  [],
  prints(0, "main done"),
);

both(
  "a child killed while blocked in getSync is joined",
  "killed_in_get_sync.ts",
  ["join"],
  prints(0, "killed: -9", "main done"),
);

for (const how of ["throw", "throw later", "reject"]) {
  both(
    `an error of main ends the program with status 1, whatever its children do: ${how}`,
    "end_of_main.ts",
    [how],
    ({ code, out, errors }) => {
      assert.equal(code, 1);
      assert.deepEqual(out, ["main about to end"]);
      assert.match(errors, /RangeError: main has had enough/);
    },
  );
}

both(
  "Deno.exit(3) in main ends the program with status 3, whatever its children do",
  "end_of_main.ts",
  ["exit"],
  prints(3, "main about to end"),
);

both(
  "Deno.exit(4) in a child ends the child, and not the program",
  "exit_in_child.ts",
  [],
  prints(0, "child: 4"),
);

for (
  const [how, args, out] of [
    ["was joined", [], ["child: 1", "main done"]],
    ["nobody waits for", ["nobody"], ["main done"]],
  ] as const
) {
  both(
    `an uncaught error of a child that ${how} is printed with the process's name`,
    "uncaught_in_child.ts",
    args,
    (run) => {
      assert.equal(run.code, 0);
      assert.deepEqual(run.out, out);
      assert.match(run.errors, /^Process the unlucky one:\nRangeError: out of luck\n +at fail/);
      assert.equal(run.errors.match(/out of luck/g)?.length, 1);
      assert.match(run.errors, /Error: a black cat/);
    },
  );
}

// Many more: full/uncaught_rounds.ts.
const failing = 20;
both(
  `the errors of ${failing} children that fail one after another are printed, each once`,
  "uncaught_one_by_one.ts",
  [`${failing}`],
  (run) => {
    assert.deepEqual([run.code, run.out], [0, ["main done"]]);
    const numbers = [...run.errors.matchAll(/^Error: number (\d+)$/gm)].map(([, number]) => number);
    assert.deepEqual(numbers, Array.from({ length: failing }, (_, number) => `${number}`));
  },
);

both(
  "of an error too long to be printed the beginning and the end are, with the stack",
  "uncaught_long.ts",
  ["1000000"],
  (run) => {
    assert.deepEqual([run.code, run.out], [0, []]);
    assert.match(run.errors, /^Process Process-1:\nError: begin 漢{20000,} … 漢+ end\n +at fail/);
  },
);

both(
  "an error of a child whose result was asked for is not printed",
  "uncaught_in_child.ts",
  ["result"],
  prints(0, "failed with: RangeError: out of luck", "main done"),
);

const rejected = (count: number) => Array(count).fill("rejected").join();
both(
  "nor are those of many processes that failed while others were started, if asked for then",
  "uncaught_in_many.ts",
  [],
  prints(0, rejected(6), rejected(2)),
);

both(
  "a program may do everything by the blocking faces",
  "blocked_main.ts",
  [],
  prints(0, "2", "4", "6", "true -15"),
);

both(
  "what was waited for in vain and is used no more is freed",
  "forgotten_waits.ts",
  [],
  prints(0, "freed"),
  ["--v8-flags=--expose-gc"],
);

const kinds = ["plain", "limited", "aborted", "sandboxed"];
const letGo = (
  kind: string,
) => [`${kind}, started: collected`, `${kind}, result: held, closed: collected`];
both(
  "a process that was started lets go of target and arguments, and one that was closed of all",
  "let_go.ts",
  [],
  prints(
    0,
    ...kinds.flatMap(letGo),
    ...kinds.slice(0, 2).flatMap(letGo).map((line) => `in a child: ${line}`),
    "less than one argument",
  ),
  ["--v8-flags=--expose-gc"],
);

both(
  "a pool lets go of what its tasks were given and returned",
  "pool_lets_go.ts",
  [],
  prints(0, "82 0", "5"),
  ["--v8-flags=--expose-gc"],
);

both(
  "a pool that a task was given goes on working there, whatever is collected here",
  "pool_handed_over.ts",
  [],
  prints(0, "49"),
  ["--v8-flags=--expose-gc"],
);

both(
  "targets may be in a module that knows the package only by its types",
  "other_module.ts",
  [],
  prints(0, "got: 1,2,3"),
);

Deno.test({
  name: `with permission to read, a target uses the functions of its module ${needs}`,
  ignore: !granted,
  fn: async () => {
    for (const flags of [["--allow-all"], ["--allow-read"]]) {
      const ran = await run("helper.ts", [], flags);
      assert.deepEqual(ran, { code: 0, out: ["result: 42"], errors: "" });
    }
  },
});

Deno.test({
  name: `without, it is told which one is missing, and what to do ${needs}`,
  ignore: !granted,
  fn: async () => {
    const { code, out, errors } = await run("helper.ts");
    assert.equal(code, 1);
    assert.deepEqual(out, []);
    assert.match(errors, /work uses "twice"/);
    assert.match(errors, /by: "reference"/);
  },
});

Deno.test({
  name: `examples/queue.ts prints each put before its Get, six of each, and main last ${needs}`,
  ignore: !granted,
  fn: async () => {
    const runs = await Promise.all(
      [[], ["--allow-all"]].map((flags) => run("../../../examples/queue.ts", [], flags)),
    );
    for (const { code, out, errors } of runs) {
      assert.equal(errors, "");
      assert.equal(code, 0);
      assert.equal(out.at(-1), "main");
      assert.equal(out.filter((line) => line === "Process is write....").length, 2);
      assert.equal(out.filter((line) => line === "Process is reading...").length, 1);
      for (let i = 1; i <= 6; i++) {
        const put = out.indexOf(`put url_${i} to queue...`);
        const got = out.indexOf(`Get url_${i} from queue`);
        assert.ok(put >= 0, `url_${i} was not put`);
        assert.ok(got > put, `url_${i} was not got after it was put`);
      }
      assert.equal(out.length, 2 + 1 + 6 + 6 + 1);
    }
  },
});
