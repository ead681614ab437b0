//! Does any plan end by a moment, with stops on the way?
//!
//! A small cluster, whose items must each get to one bin. A plan may stop on the way where it
//! likes; of each item the first move out of its bin and the last one into its end are looked
//! at, which are the same or come one after the other. All other moves are left out, and the
//! room in bins between the ends as well: a relaxation of every plan, so that what has no
//! solution proves that there is no plan. For the solver by lazy clause generation each way to
//! make the first or the last move is a task, of which all but one are parked beyond the end.

use crate::engine::Atom;
use crate::engine::Core;
use crate::engine::Guide;
use crate::engine::Meter;
use crate::engine::Var;
use crate::engine::Verdict;
use crate::engine::View;
use crate::engine::guarded;
use crate::problem::Later;
use crate::problem::NONE;
use crate::problem::Packing;
use crate::problem::Problem;
use crate::problem::Role;
use crate::problem::Transit;
use rustc_hash::FxHashMap;

/// The largest clusters of which a model is made.
const MOST_ITEMS: usize = 24;
const MOST_BINS: usize = 6;
const MOST_SECONDS: u64 = 100_000;

/// Is it proved that no plan ends by this moment, given the items that must move?
pub fn refuted(problem: &Problem, forced: &[u32], last: u64, meter: &mut Meter) -> bool {
    let packing = &problem.packing;
    let plain = |&item: &u32| {
        let row = &packing.items[item as usize];
        row.lead == 0 && !packing.resizes(item) && packing.settled_in(item).is_some()
    };
    let small = forced.len() <= MOST_ITEMS && packing.bins.len() <= MOST_BINS && last <= MOST_SECONDS;
    if !small || !forced.iter().all(plain) {
        return false;
    }
    let Some(transit) = &problem.project.transit else { return false };
    let verdict = guarded(|| {
        let mut model = Model::new(problem, transit.as_ref(), last as i32);
        for &item in forced {
            model.add(item)?;
        }
        model.close()?;
        Some(model.core.solve(&[], &mut model.guide, meter))
    });
    verdict.flatten() == Some(Verdict::Refuted)
}

/// A way to make a move.
struct Way {
    start: Var,
    used: Var,
    seconds: i32,
}

struct Model<'p> {
    packing: &'p Packing,
    transit: &'p dyn Transit,
    core: Core,
    last: i32,
    /// Where the next task that is not used is parked.
    parking: i32,
    /// By channel: (start, seconds, amount).
    channels: FxHashMap<u32, Vec<(Var, i32, i32)>>,
    /// By place (bin and dimension): (start, amount) of what holds it for a span.
    rooms: FxHashMap<u32, Vec<(Var, i32)>>,
    guide: Direct,
}

impl<'p> Model<'p> {
    fn new(problem: &'p Problem, transit: &'p dyn Transit, last: i32) -> Self {
        Self {
            packing: &problem.packing,
            transit,
            core: Core::default(),
            last,
            parking: last + 1,
            channels: FxHashMap::default(),
            rooms: FxHashMap::default(),
            guide: Direct::default(),
        }
    }

    /// A way that may be used, if there is one that is over in time.
    fn way(&mut self, item: u32, from: u32, to: u32) -> Option<Option<Way>> {
        let Some(passage) = self.transit.passage(item, from, to) else { return Some(None) };
        let (source, target) = (&self.packing.bins[from as usize], &self.packing.bins[to as usize]);
        let opens = if target.open { 0 } else { i32::try_from(target.opening).ok()? };
        let closes = source.open && source.later == Later::Closed;
        let closes = if closes { i32::try_from(source.closing).ok()? } else { 0 };
        let seconds = i32::try_from(passage.seconds).ok()?;
        let latest = i64::from(self.last) - i64::from(seconds) - i64::from(closes);
        if latest < i64::from(opens) {
            return Some(None);
        }
        let parked = self.parking;
        self.parking = parked.checked_add(seconds)?;
        let (start, used) = (self.core.between(opens, parked), self.core.between(0, 1));
        self.core.clause(&[Atom::Is(used, 1), Atom::AtLeast(start, parked)]);
        self.core.clause(&[Atom::Is(used, 0), Atom::AtMost(start, latest as i32)]);
        for (channel, amount) in passage.uses {
            let task = (start, seconds.max(1), i32::try_from(amount).ok()?);
            self.channels.entry(channel).or_default().push(task);
        }
        Some(Some(Way { start, used, seconds }))
    }

    /// Exactly one of the ways is used.
    fn choose(&mut self, ways: &[&Way]) {
        let terms = |sign: i32| ways.iter().map(|way| (sign, way.used)).collect::<Vec<(i32, Var)>>();
        self.core.sum_at_most(&terms(1), 1);
        self.core.sum_at_most(&terms(-1), -1);
    }

    fn add(&mut self, item: u32) -> Option<()> {
        let row = &self.packing.items[item as usize];
        let (from, to) = (row.source, self.packing.settled_in(item)?);
        let route = &self.packing.domains[row.route as usize];
        let bins = || (0..self.packing.bins.len() as u32).filter(|&bin| route.contains(bin) || bin == from);
        let (outs, ins): (Vec<u32>, Vec<u32>) =
            (bins().filter(|&bin| bin != from).collect(), bins().filter(|&bin| bin != to).collect());
        let direct: Vec<Way> = self.way(item, from, to)?.into_iter().collect();
        let mut first = Vec::new();
        for bin in outs {
            first.extend(self.way(item, from, bin)?);
        }
        let mut then = Vec::new();
        for bin in ins {
            then.extend(self.way(item, bin, to)?);
        }
        self.choose(&direct.iter().chain(&first).collect::<Vec<&Way>>());
        self.choose(&direct.iter().chain(&then).collect::<Vec<&Way>>());
        // More than any difference between two starts.
        let far = self.parking.checked_mul(2)?;
        for out in &first {
            for into in &then {
                let terms = [(1, out.start), (-1, into.start), (far, out.used), (far, into.used)];
                self.core.sum_at_most(&terms, far.checked_mul(2)? - out.seconds);
            }
        }
        // It leaves when the first is over, and comes when the last starts.
        let (left, came) = (self.core.between(0, self.last), self.core.between(0, self.last));
        for way in direct.iter().chain(&first) {
            let terms = [(1, way.start), (-1, left), (far, way.used)];
            self.core.sum_at_most(&terms, far - way.seconds);
        }
        for way in direct.iter().chain(&then) {
            self.core.sum_at_most(&[(1, came), (-1, way.start), (far, way.used)], far);
        }
        for dim in 0..self.packing.dims {
            let Some(size) = i32::try_from(self.packing.now(item)[dim]).ok().filter(|&size| size > 0) else {
                continue;
            };
            let place = |bin: u32| bin * self.packing.dims as u32 + dim as u32;
            // Time is counted from one span before, so that both last for a span.
            let later = self.core.between(self.span(), self.span() + self.last);
            self.core.sum_at_most(&[(1, later), (-1, came)], self.span());
            self.core.sum_at_most(&[(-1, later), (1, came)], -self.span());
            self.rooms.entry(place(from)).or_default().push((left, size));
            self.rooms.entry(place(to)).or_default().push((later, size));
        }
        self.guide.direct.extend(direct.iter().map(|way| way.used));
        let ways = || direct.iter().chain(&first).chain(&then);
        self.guide.used.extend(ways().map(|way| way.used));
        self.guide.starts.extend(ways().map(|way| way.start).chain([left, came]));
        Some(())
    }

    fn span(&self) -> i32 {
        2 * self.last + 1
    }

    /// Adds what is limited: channels, and rooms beside what cannot leave them.
    fn close(&mut self) -> Option<()> {
        let capacities = self.transit.capacities();
        let mut channels: Vec<_> = std::mem::take(&mut self.channels).into_iter().collect();
        channels.sort_unstable_by_key(|(channel, _)| *channel);
        for (channel, tasks) in channels {
            let capacity = i32::try_from(capacities[channel as usize]).unwrap_or(i32::MAX / 2);
            self.core.cumulative(&tasks, capacity);
        }
        let dims = self.packing.dims;
        let mut fixed = vec![0u64; self.packing.capacity_now.len()];
        for (item, row) in (0u32..).zip(&self.packing.items) {
            // Whoever may move may be elsewhere for a while.
            if row.source != NONE && row.role == Role::Stay && row.pinned {
                for (dim, fixed) in fixed[row.source as usize * dims..][..dims].iter_mut().enumerate() {
                    *fixed += self.packing.now(item)[dim].min(self.packing.then(item)[dim]);
                }
            }
        }
        let mut rooms: Vec<_> = std::mem::take(&mut self.rooms).into_iter().collect();
        rooms.sort_unstable_by_key(|(place, _)| *place);
        for (place, tasks) in rooms {
            let room = self.packing.capacity_now[place as usize].saturating_sub(fixed[place as usize]);
            let tasks: Vec<(Var, i32, i32)> =
                tasks.into_iter().map(|(start, size)| (start, self.span(), size)).collect();
            self.core.cumulative(&tasks, i32::try_from(room).unwrap_or(i32::MAX / 2));
        }
        Some(())
    }
}

/// Without stops if that goes, then the earliest first.
#[derive(Debug, Default)]
struct Direct {
    direct: Vec<Var>,
    used: Vec<Var>,
    starts: Vec<Var>,
}

impl Guide for Direct {
    fn choose(&mut self, view: &dyn View) -> Option<Atom> {
        let open = |var: &&Var| view.value(**var).is_none();
        if let Some(&var) = self.direct.iter().find(open) {
            return Some(Atom::Is(var, 1));
        }
        if let Some(&var) = self.used.iter().find(open) {
            return Some(Atom::Is(var, 0));
        }
        let next = self.starts.iter().filter(open).min_by_key(|&&var| (view.least(var), var))?;
        Some(Atom::AtMost(*next, view.least(*next)))
    }

    fn blame(&mut self, _: Var) {}

    fn failed(&mut self) {}

    fn released(&mut self, _: Var, _: i32) {}
}
