// Loaded before a program (`node --require`): its wall clock is as many seconds ahead as `ahead` in
// its argument says. The monotonic clock is right, as it would be in a container whose wall clock
// is wrong.
const RealDate = Date;
const ahead = JSON.parse(process.argv.at(-1)).ahead * 1000;

class ShiftedDate extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + ahead);
    else super(...given);
  }

  static now() {
    return RealDate.now() + ahead;
  }
}

globalThis.Date = ShiftedDate;
