//! The rule against what it says, on every assignment of small stages.

use super::*;
use crate::engine::testing::Domains;
use crate::engine::testing::assignments;
use crate::engine::testing::check;
use crate::random::Random;

/// A stage of up to four items in three bins, and the domains of hosts, `also`, total.
fn stage(random: &mut Random) -> (Stage, Vec<Vec<i32>>) {
    let bins = 2 + random.below(2);
    let dims = 1 + random.below(2);
    let count = 2 + random.below(3);
    let mut domains = Vec::new();
    let pieces: Vec<Piece> = (0..count as u32)
        .map(|at| {
            let mut allowed: Vec<u32> = (0..bins as u32).filter(|_| random.below(4) > 0).collect();
            if allowed.is_empty() {
                allowed.push(0);
            }
            domains.push(allowed.iter().map(|&bin| bin as i32).collect());
            Piece {
                host: Var(at),
                source: if random.below(5) == 0 { NONE } else { random.below(bins) as u32 },
                bins: allowed,
                size: (0..dims).map(|_| random.below(5) as u64).collect(),
                cost: 1 + random.below(3) as u32,
            }
        })
        .collect();
    let room = (0..bins).map(|_| (0..dims).map(|_| random.below(9) as u64).collect()).collect();
    let crowds = (0..random.below(3))
        .map(|_| Crowd {
            members: (0..count as u32).filter(|_| random.below(2) == 0).collect(),
            most: (0..bins).map(|_| random.below(3) as u32).collect(),
        })
        .collect();
    domains.push(vec![0, 1]);
    domains.push((0..=6).collect());
    let also = vec![Var(count as u32)];
    (Stage { pieces, room, crowds, base: vec![0; bins], also }, domains)
}

/// The rule, as it is said.
fn holds(stage: &Stage, values: &[i32]) -> bool {
    let ends_in = |at: u32, bin: usize| values[at as usize] == bin as i32;
    let all = || (0u32..).zip(&stage.pieces);
    let fits = stage.room.iter().enumerate().all(|(bin, room)| {
        room.iter().enumerate().all(|(dim, &room)| {
            let here = all().filter(|(at, _)| ends_in(*at, bin));
            here.map(|(_, piece)| piece.size[dim]).sum::<u64>() <= room
        }) && stage.crowds.iter().all(|crowd| {
            let here = crowd.members.iter().filter(|&&at| ends_in(at, bin)).count();
            here <= crowd.most[bin] as usize
        })
    });
    let leaves = |at: u32, piece: &Piece| piece.source != NONE && !ends_in(at, piece.source as usize);
    let cost: u32 = all().filter(|(at, piece)| leaves(*at, piece)).map(|(_, piece)| piece.cost).sum();
    let count = stage.pieces.len();
    fits && cost as i32 + values[count] <= values[count + 1]
}

/// The least that the leavers of each bin cost in any placement that fits.
fn base(stage: &Stage, domains: &[Vec<i32>]) -> Vec<u64> {
    let right: Vec<Vec<i32>> =
        assignments(domains).into_iter().filter(|values| holds(stage, values)).collect();
    (0..stage.room.len())
        .map(|bin| {
            let cost = |values: &Vec<i32>| {
                let out =
                    |(at, piece): &(usize, &Piece)| piece.source == bin as u32 && values[*at] != bin as i32;
                stage.pieces.iter().enumerate().filter(out).map(|(_, piece)| u64::from(piece.cost)).sum()
            };
            right.iter().map(cost).min().unwrap_or(0)
        })
        .collect()
}

fn narrowed(domains: &[Vec<i32>], random: &mut Random) -> Domains {
    let decided = random.below(4) == 0;
    let narrow = |domain: &Vec<i32>| {
        let keep = domain[random.below(domain.len())];
        let all = domain.iter().copied();
        all.filter(|&value| value == keep || !decided && random.below(3) > 0).collect()
    };
    Domains(domains.iter().map(narrow).collect())
}

#[test]
fn conclusions_follow_from_their_reasons() {
    let mut random = Random::new(11);
    for round in 0..3000 {
        let (mut stage, domains) = stage(&mut random);
        if round % 3 == 0 {
            stage.base = base(&stage, &domains);
        }
        let total = Var(domains.len() as u32 - 1);
        let rule = Evictions::new(stage.clone(), total);
        for _ in 0..4 {
            let narrowed = narrowed(&domains, &mut random);
            let checked = check(&rule, &domains, &narrowed, &|values| holds(&stage, values));
            assert_eq!(checked, Ok(()), "{stage:?}\n{narrowed:?}");
        }
    }
}

/// The test above sees a rule that is wrong by one.
#[test]
fn wrong_rules_are_noticed() {
    let spoil: [fn(&mut Stage); 4] = [
        |stage| stage.room.iter_mut().flatten().for_each(|room| *room += 1),
        |stage| stage.room.iter_mut().flatten().for_each(|room| *room = room.saturating_sub(1)),
        |stage| stage.base.iter_mut().for_each(|base| *base += 1),
        |stage| stage.pieces.iter_mut().for_each(|piece| piece.cost += 1),
    ];
    for spoil in spoil {
        let mut random = Random::new(12);
        let noticed = (0..500).any(|_| {
            let (stage, domains) = stage(&mut random);
            let mut spoilt = stage.clone();
            spoil(&mut spoilt);
            let rule = Evictions::new(spoilt, Var(domains.len() as u32 - 1));
            let narrowed = narrowed(&domains, &mut random);
            check(&rule, &domains, &narrowed, &|values| holds(&stage, values)).is_err()
        });
        assert!(noticed);
    }
}
