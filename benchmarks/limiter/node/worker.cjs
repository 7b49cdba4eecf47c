// One BullMQ worker of many: node worker.cjs JSON. It adds its part of the jobs, says that it is
// ready, and from the start on sends once for each job that the limiter lets it have.
const net = require("node:net");
const { Queue, Worker } = require("bullmq");

const load = JSON.parse(process.argv[2]);
const url = new URL(load.url);
const connection = { host: url.hostname, port: Number(url.port), password: url.password };
const waiting = [];
const receiver = net.createConnection({ host: "127.0.0.1", port: load.port, noDelay: true });
receiver.on("data", (answer) => {
  for (const _ of answer) waiting.shift()();
});
receiver.on("close", () => process.exit(0));

function tell(word) {
  return new Promise((answered) => {
    waiting.push(answered);
    receiver.write(word);
  });
}

async function main() {
  const queue = new Queue("sends", { connection });
  await queue.addBulk(Array.from({ length: load.jobs }, () => ({ name: "send", data: {} })));
  const worker = new Worker("sends", () => tell("."), {
    connection,
    autorun: false,
    concurrency: 2,
    limiter: { max: load.count, duration: load.window * 1000 },
  });
  await worker.waitUntilReady();
  await tell("+");
  await worker.run();
}

main();
