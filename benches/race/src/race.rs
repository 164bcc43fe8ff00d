//! The measurement of a cell: contenders in turn, medians over the rounds.

use core::hint::black_box;
use core::time::Duration;

use rustix::time::ClockId;
use rustix::time::clock_gettime;

use crate::contender::Column;
use crate::contender::Contender;
use crate::contender::Task;
use crate::contender::contenders;
use crate::ours;
use crate::packets::BATCH;
use crate::packets::Layout;
use crate::packets::Packets;
use crate::packets::Way;

/// How long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// How long a contender works in a round.
    pub(crate) slot: Duration,
}

/// What was measured of a suite in one direction, length and shape.
pub(crate) struct Cell {
    pub(crate) task: Task,
    pub(crate) payload: usize,
    pub(crate) times: Vec<Time>,
}

/// What was measured of a contender: medians over the rounds.
pub(crate) struct Time {
    pub(crate) column: Column,
    pub(crate) variant: &'static str,
    /// Nanoseconds a packet.
    pub(crate) ns: f64,
    /// How many times as long as ours took in the same round.
    pub(crate) ratio: f64,
}

impl Cell {
    /// The time of a column: that of its fastest contender.
    pub(crate) fn time(&self, column: Column) -> Option<&Time> {
        let times = self.times.iter().filter(|time| time.column == column);
        times.min_by(|one, other| one.ns.total_cmp(&other.ns))
    }

    /// How many times as long as ours `column` takes.
    pub(crate) fn ratio(&self, column: Column) -> Option<f64> {
        Some(self.time(column)?.ratio)
    }
}

/// Processor time of this thread: time that other processes take does not count.
pub(crate) fn now() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How many times as long as `ours` another took in the same rounds.
pub(crate) fn ratio(theirs: &[f64], ours: &[f64]) -> f64 {
    median(theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect())
}

/// Compares outputs, then measures.
pub(crate) fn race(task: Task, payload: usize, effort: Effort, every_path: bool) -> Cell {
    let plain = Packets::plain(Layout::new(task.suite, payload), task.shape.sas());
    let mut sealed = plain.clone();
    ours::seal(task, &mut sealed);
    check_sealed(task, &plain, &sealed, Column::Twin);
    let source = match task.way {
        Way::Seal => &plain,
        Way::Open => &sealed,
    };

    let mut contenders = contenders(task, every_path);
    for Contender { column, work, .. } in &mut contenders {
        let mut packets = source.clone();
        work(&mut packets);
        match task.way {
            Way::Seal => check_sealed(task, &plain, &packets, *column),
            Way::Open => assert!(
                packets.data().eq(plain.data()),
                "{}: {} opens to something else",
                column.name(),
                task.suite
            ),
        }
    }
    let times = measure(&mut contenders, source, task.way, effort);
    Cell { task, payload, times }
}

/// Checks that `sealed` opens to `plain`, and that OpenSSL seals `plain` to the same octets under
/// the same IVs.
fn check_sealed(task: Task, plain: &Packets, sealed: &Packets, column: Column) {
    let name = column.name();
    let mut opened = sealed.clone();
    ours::open(task, &mut opened);
    assert!(opened.data().eq(plain.data()), "{name}: {} seals something else", task.suite);
    #[cfg(feature = "peers")]
    {
        let mut again = plain.clone();
        let front = plain.layout.front;
        for (packet, sealed) in again.each().zip(sealed.contents()) {
            packet[..front].copy_from_slice(&sealed[..front]);
        }
        crate::peers::seal_again(task, &mut again);
        assert!(
            again.contents().eq(sealed.contents()),
            "{name}: OpenSSL seals {} otherwise",
            task.suite
        );
    }
}

fn measure(contenders: &mut [Contender], source: &Packets, way: Way, effort: Effort) -> Vec<Time> {
    let mut packets = source.clone();
    let fresh = way == Way::Open;
    // What opening begins with: a fresh copy, whose time is measured in each round and taken off.
    let mut copy: Repeated = Repeated::new();
    let mut repeated: Vec<Repeated> = contenders.iter().map(|_| Repeated::new()).collect();
    let mut samples = vec![Vec::new(); contenders.len()];
    // The first round finds the number of repetitions and warms up.
    for round in 0..=effort.rounds {
        let copied = if fresh {
            copy.run(effort.slot / 2, || packets.copy_from(black_box(source)))
        } else {
            0.0
        };
        for ((contender, repeated), samples) in
            contenders.iter_mut().zip(&mut repeated).zip(&mut samples)
        {
            let spent = repeated.run(effort.slot, || {
                if fresh {
                    packets.copy_from(black_box(source));
                }
                (contender.work)(black_box(&mut packets));
            });
            if round > 0 {
                samples.push((spent - copied) / BATCH as f64);
            }
        }
    }
    let ours = samples.first().cloned().unwrap_or_default();
    let time = |(contender, samples): (&Contender, Vec<f64>)| {
        let &Contender { column, variant, .. } = contender;
        let ratio = ratio(&samples, &ours);
        Time { column, variant, ns: median(samples), ratio }
    };
    contenders.iter().zip(samples).map(time).collect()
}

/// Work that fills a slot.
pub(crate) struct Repeated {
    times: u32,
}

impl Repeated {
    pub(crate) const fn new() -> Self {
        Self { times: 0 }
    }

    /// Nanoseconds of one call of `work`.
    pub(crate) fn run(&mut self, slot: Duration, mut work: impl FnMut()) -> f64 {
        let start = now();
        if self.times == 0 {
            while self.times == 0 || now() - start < slot {
                work();
                self.times += 1;
            }
        } else {
            (0..self.times).for_each(|_| work());
        }
        (now() - start).as_nanos() as f64 / f64::from(self.times)
    }
}
