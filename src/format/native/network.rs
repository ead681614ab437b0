//! The network.

use super::element::ByName;
use super::element::unknown;
use super::element::word;
use crate::format::Context;
use crate::format::FormatError;
use crate::format::field::needed;
use crate::format::field::once;
use crate::format::locate::Step;
use crate::format::reader::Number;
use crate::format::reader::Parsed;
use crate::format::reader::Reader;
use crate::format::reader::fault;
use crate::format::reader::quoted;
use crate::format::rule::Names;
use crate::format::table::Positions;
use crate::format::writer::Json;
use crate::model::Behaviour;
use crate::model::Endpoint;
use crate::model::Instance;
use crate::model::Link;
use crate::model::Live;
use crate::model::Network;
use crate::model::NetworkPart;
use crate::model::NodeId;
use crate::model::Parameter;
use crate::model::Rounds;
use crate::model::Route;
use crate::model::Routing;
use crate::model::Switch;

const NUMBER: &str = "an integer from 0 to 4294967295";
const PERCENT: &str = "a percentage from 0 to 99";
const BANDWIDTH: &str = "a capacity in Mbit/s: a whole number of 1 or more";

fn number(reader: &mut Reader<'_>) -> Parsed<u32> {
    Ok(reader.unsigned(u64::from(u32::MAX), NUMBER)? as u32)
}

/// The position of the switch or link whose number comes next.
fn known(reader: &mut Reader<'_>, table: &Positions, kind: &str) -> Parsed<u32> {
    let at = reader.here();
    table.get(number(reader)?, kind, at)
}

const KEYS: [&str; 9] = [
    "switches",
    "links",
    "star",
    "routing",
    "routes",
    "reserve_percent",
    "max_bandwidth",
    "sharing",
    "migration",
];

/// How migrations may behave.
const MODELS: [&str; 2] = ["pre_copy", "rounds"];

/// How migrations behave.
fn migration(reader: &mut Reader<'_>, context: &mut Context) -> Parsed<Behaviour> {
    let keys = || ["model"].into_iter().chain(Parameter::ALL.map(|parameter| parameter.names()[0]));
    let mut model = None;
    let mut given: Vec<(Parameter, f64, usize)> = Vec::new();
    reader.object("how migrations behave: an object such as {\"model\": \"rounds\"}")?;
    while let Some(key) = reader.key()? {
        if key == "model" {
            once(&model, "model", reader)?;
            model = Some(word(reader, MODELS)?);
            continue;
        }
        let Some(parameter) = Parameter::ALL.into_iter().find(|parameter| parameter.names()[0] == key) else {
            unknown(reader, &key, &keys().collect::<Vec<_>>(), context)?;
            continue;
        };
        if given.iter().any(|&(known, ..)| known == parameter) {
            return fault(reader.key_at(), format!("the key `{key}` is given twice"));
        }
        let at = reader.here();
        given.push((parameter, reader.float(parameter.expected())?, at));
    }
    let live = if model == Some(1) { Live::Rounds(Rounds::default()) } else { Live::PreCopy };
    let mut behaviour = Behaviour { live, ..Behaviour::default() };
    for (parameter, number, at) in given {
        if parameter.is_of_rounds() && live == Live::PreCopy {
            let name = parameter.names()[0];
            return fault(at, format!("the key `{name}` is of the model `rounds`, which is not chosen"));
        }
        if !parameter.set(&mut behaviour, number) {
            return reader.seek(at).expected(parameter.expected());
        }
    }
    Ok(behaviour)
}

/// Reads switches, links and routes, which may come in any order, and how migrations behave.
pub(super) fn read(
    reader: &mut Reader<'_>,
    names: &ByName<'_, '_>,
    context: &mut Context,
) -> Parsed<(Network, Behaviour)> {
    let mut network = Network::default();
    let mut behaviour = None;
    let mut switches = Positions::default();
    let mut links = Positions::default();
    let (mut at_switches, mut at_links, mut at_routes, mut at_routing) = (None, None, None, None);
    let (mut at_reserve, mut at_most, mut at_sharing) = (None, None, None);
    let mut at_star = None;
    reader.object("a network: an object with the keys `switches` and `links`, or `star`")?;
    while let Some(key) = reader.key()? {
        let slot = match key.as_ref() {
            "migration" => {
                once(&behaviour, "migration", reader)?;
                behaviour = Some(migration(reader, context)?);
                continue;
            }
            "star" => &mut at_star,
            "switches" => &mut at_switches,
            "links" => &mut at_links,
            "routes" => &mut at_routes,
            "routing" => &mut at_routing,
            "reserve_percent" => &mut at_reserve,
            "max_bandwidth" => &mut at_most,
            "sharing" => &mut at_sharing,
            _ => {
                unknown(reader, &key, &KEYS, context)?;
                continue;
            }
        };
        once(slot, &key, reader)?;
        *slot = Some(reader.span()?);
    }
    if let Some(span) = at_star {
        let others = [("switches", at_switches), ("links", at_links), ("routes", at_routes)];
        if let Some((key, _)) = others.into_iter().find(|(_, at)| at.is_some()) {
            return fault(
                span.start,
                format!(
                    "expected `star` (a link to one switch for each node) or the key `{key}`, found both"
                ),
            );
        }
        let capacity = bandwidth(&mut reader.seek(span.start))?;
        let Network { switches, links, .. } = Network::star(names.node_count(), capacity);
        (network.switches, network.links) = (switches, links);
    }
    if let Some(span) = at_switches {
        let mut reader = reader.seek(span.start);
        reader.array("an array of switches")?;
        while reader.element()? {
            let start = reader.here();
            let switch = switch(&mut reader, context)?;
            switches.add(switch.number, "switch", start)?;
            network.switches.push(switch);
        }
        reader.arrived(span)?;
    }
    if let Some(span) = at_links {
        let mut reader = reader.seek(span.start);
        reader.array("an array of links")?;
        while reader.element()? {
            let start = reader.here();
            let (link, reserve) = link(&mut reader, &switches, names, context)?;
            links.add(link.number, "link", start)?;
            let at = network.links.len() as u32;
            network.allowance.reserves.extend(reserve.map(|reserve| (at, reserve)));
            network.links.push(link);
        }
        reader.arrived(span)?;
    }
    if let Some(span) = at_routes {
        let mut reader = reader.seek(span.start);
        let mut routes = Vec::new();
        reader.array("an array of routes")?;
        while reader.element()? {
            routes.push(route(&mut reader, &links, names, context)?);
        }
        reader.arrived(span)?;
        network.routing = Routing::Fixed(routes);
    }
    if let Some(span) = at_reserve {
        let mut reader = reader.seek(span.start);
        network.allowance.reserve_percent = reader.unsigned(99, PERCENT)? as u8;
    }
    if let Some(span) = at_most {
        let mut reader = reader.seek(span.start);
        network.allowance.per_migration = Some(bandwidth(&mut reader)?);
    }
    if let Some(span) = at_sharing {
        network.allowance.sharing = reader.seek(span.start).boolean("`true` or `false`")?;
    }
    if let Some(span) = at_routing {
        let mut reader = reader.seek(span.start);
        let word = reader.text_value("`tree` or `shortest`")?;
        network.routing = match (word.as_ref(), network.routing) {
            ("tree", Routing::Tree) => Routing::Tree,
            ("tree", _) => {
                let text = "expected `shortest` (the way of pairs of nodes without a route), or no key \
                            `routing` beside `routes`, found `tree`";
                return fault(span.start, text);
            }
            ("shortest", Routing::Fixed(routes)) => Routing::Mixed(routes),
            ("shortest", _) => Routing::Shortest,
            _ => return fault(span.start, format!("expected `tree` or `shortest`, found {}", quoted(&word))),
        };
    }
    Ok((network, behaviour.unwrap_or_default()))
}

/// Where a part of the network stands.
pub(super) fn steps(part: NetworkPart) -> Vec<Step> {
    let network = Step::key("network");
    let list = |key: &str| vec![network.clone(), Step::key(key)];
    let one = |key: &str, at: u32| vec![network.clone(), Step::key(key), Step::At(at as usize)];
    match part {
        NetworkPart::Whole => vec![network],
        NetworkPart::Links => list("links"),
        NetworkPart::Routes => list("routes"),
        NetworkPart::PerMigration => list("max_bandwidth"),
        NetworkPart::Switch(at) => one("switches", at),
        NetworkPart::Link(at) => one("links", at),
        NetworkPart::Route(at) => one("routes", at),
    }
}

fn bandwidth(reader: &mut Reader<'_>) -> Parsed<u64> {
    let before = reader.clone();
    match reader.unsigned(u64::MAX, BANDWIDTH)? {
        0 => before.clone().expected(BANDWIDTH),
        capacity => Ok(capacity),
    }
}

fn switch(reader: &mut Reader<'_>, context: &mut Context) -> Parsed<Switch> {
    let start = reader.here();
    let (mut id, mut name, mut capacity) = (None, None, None);
    reader.object("a switch: an object with the key `id`")?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "id" => {
                once(&id, "id", reader)?;
                id = Some(number(reader)?);
            }
            "capacity" => {
                once(&capacity, "capacity", reader)?;
                capacity = Some(if reader.null() { None } else { Some(bandwidth(reader)?) });
            }
            "name" => {
                once(&name, "name", reader)?;
                name = Some(reader.text_value("the name of a switch")?);
            }
            key => unknown(reader, key, &["id", "name", "capacity"], context)?,
        }
    }
    Ok(Switch::new(needed(id, "id", start)?, name.as_deref(), capacity.flatten()))
}

fn link(
    reader: &mut Reader<'_>,
    switches: &Positions,
    names: &ByName<'_, '_>,
    context: &mut Context,
) -> Parsed<(Link, Option<u64>)> {
    let start = reader.here();
    let (mut id, mut capacity, mut switch, mut end) = (None, None, None, None);
    let mut reserve = None;
    reader.object("a link: an object with the keys `id`, `capacity`, `switch`, and `node` or `to_switch`")?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "id" => {
                once(&id, "id", reader)?;
                id = Some(number(reader)?);
            }
            "capacity" => {
                once(&capacity, "capacity", reader)?;
                capacity = Some(bandwidth(reader)?);
            }
            "reserve" => {
                once(&reserve, "reserve", reader)?;
                reserve = Some(reader.unsigned(u64::MAX, "Mbit/s: a whole number of 0 or more")?);
            }
            "switch" => {
                once(&switch, "switch", reader)?;
                switch = Some(known(reader, switches, "switch")?);
            }
            "node" | "to_switch" => {
                if end.is_some() {
                    return fault(
                        reader.key_at(),
                        "expected one of the keys `node` and `to_switch`, found two",
                    );
                }
                end = Some(match key.as_ref() {
                    "node" => Endpoint::Node(names.node(reader)?),
                    _ => Endpoint::Switch(known(reader, switches, "switch")?),
                });
            }
            key => {
                let known = ["id", "capacity", "reserve", "switch", "node", "to_switch"];
                unknown(reader, key, &known, context)?;
            }
        }
    }
    let link = Link {
        number: needed(id, "id", start)?,
        capacity: needed(capacity, "capacity", start)?,
        switch: needed(switch, "switch", start)?,
        end: match end {
            Some(end) => end,
            None => return fault(start, "the key `node`, or `to_switch`, is missing"),
        },
    };
    Ok((link, reserve))
}

fn route(
    reader: &mut Reader<'_>,
    links: &Positions,
    names: &ByName<'_, '_>,
    context: &mut Context,
) -> Parsed<Route> {
    let start = reader.here();
    let (mut from, mut to, mut path) = (None, None, None);
    reader.object("a route: an object with the keys `from`, `to` and `links`")?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "from" => {
                once(&from, "from", reader)?;
                from = Some(names.node(reader)?);
            }
            "to" => {
                once(&to, "to", reader)?;
                to = Some(names.node(reader)?);
            }
            "links" => {
                once(&path, "links", reader)?;
                let mut steps = Vec::new();
                reader.array("an array of links")?;
                while reader.element()? {
                    steps.push(step(reader, links, context)?);
                }
                path = Some(steps);
            }
            key => unknown(reader, key, &["from", "to", "links"], context)?,
        }
    }
    Ok(Route {
        from: needed(from, "from", start)?,
        to: needed(to, "to", start)?,
        links: needed(path, "links", start)?,
    })
}

fn step(reader: &mut Reader<'_>, links: &Positions, context: &mut Context) -> Parsed<(u32, bool)> {
    let start = reader.here();
    let (mut link, mut down) = (None, None);
    reader.object("an object with the keys `link` and `down`")?;
    while let Some(key) = reader.key()? {
        match key.as_ref() {
            "link" => {
                once(&link, "link", reader)?;
                link = Some(known(reader, links, "link")?);
            }
            "down" => {
                once(&down, "down", reader)?;
                down = Some(reader.boolean("`true` for downlink, `false` for uplink")?);
            }
            key => unknown(reader, key, &["link", "down"], context)?,
        }
    }
    Ok((needed(link, "link", start)?, needed(down, "down", start)?))
}

/// Writes the network.
///
/// # Errors
/// Migrations that behave as only a program can say.
pub(super) fn write(json: &mut Json, network: &Network, instance: &Instance) -> Result<(), FormatError> {
    let Some(behaviour) = instance.migration_model().get().behaviour() else {
        let model = instance.migration_model();
        return Err(FormatError::whole(format!("JSON cannot say how migrations behave, which is {model:?}")));
    };
    let node = |json: &mut Json, node: NodeId| json.text(instance.node_name(node));
    let switch = |json: &mut Json, switch: u32| {
        json.unsigned(network.switches.get(switch as usize).map_or(0, |switch| u64::from(switch.number)));
    };
    json.raw("{\n    \"switches\": ");
    json.lines(["[", "]"], 2, network.switches.iter(), |json, switch| {
        json.raw("{\"id\": ");
        json.unsigned(u64::from(switch.number));
        if let Some(name) = &switch.name {
            json.raw(", \"name\": ");
            json.text(name);
        }
        if let Some(capacity) = switch.capacity {
            json.raw(", \"capacity\": ");
            json.unsigned(capacity);
        }
        json.raw("}");
    });
    json.raw(",\n    \"links\": ");
    json.lines(["[", "]"], 2, (0u32..).zip(&network.links), |json, (at, link)| {
        json.raw("{\"id\": ");
        json.unsigned(u64::from(link.number));
        json.raw(", \"capacity\": ");
        json.unsigned(link.capacity);
        let reserves = &network.allowance.reserves;
        if let Ok(at) = reserves.binary_search_by_key(&at, |&(link, _)| link) {
            json.raw(", \"reserve\": ");
            json.unsigned(reserves[at].1);
        }
        json.raw(", \"switch\": ");
        switch(json, link.switch);
        match link.end {
            Endpoint::Node(id) => {
                json.raw(", \"node\": ");
                node(json, id);
            }
            Endpoint::Switch(id) => {
                json.raw(", \"to_switch\": ");
                switch(json, id);
            }
        }
        json.raw("}");
    });
    if network.allowance.reserve_percent > 0 {
        json.raw(",\n    \"reserve_percent\": ");
        json.unsigned(u64::from(network.allowance.reserve_percent));
    }
    if let Some(most) = network.allowance.per_migration {
        json.raw(",\n    \"max_bandwidth\": ");
        json.unsigned(most);
    }
    if network.allowance.sharing {
        json.raw(",\n    \"sharing\": true");
    }
    if behaviour != Behaviour::default() {
        json.raw(",\n    \"migration\": {\"model\": ");
        json.text(MODELS[usize::from(matches!(behaviour.live, Live::Rounds(_)))]);
        for parameter in Parameter::ALL {
            if let Some(number) = parameter.of(&behaviour) {
                json.raw(", ");
                json.key(parameter.names()[0]);
                let whole = number.fract() == 0.0 && number < 1.0e15;
                json.number(if whole { Number::Int(number as i64) } else { Number::Float(number) });
            }
        }
        json.raw("}");
    }
    if matches!(network.routing, Routing::Shortest | Routing::Mixed(_)) {
        json.raw(",\n    \"routing\": \"shortest\"");
    }
    if let Routing::Fixed(routes) | Routing::Mixed(routes) = &network.routing {
        json.raw(",\n    \"routes\": ");
        json.lines(["[", "]"], 2, routes.iter(), |json, route| {
            json.raw("{\"from\": ");
            node(json, route.from);
            json.raw(", \"to\": ");
            node(json, route.to);
            json.raw(", \"links\": ");
            json.array(route.links.iter(), |json, &(link, down)| {
                json.raw("{\"link\": ");
                json.unsigned(network.links.get(link as usize).map_or(0, |link| u64::from(link.number)));
                json.raw(if down { ", \"down\": true}" } else { ", \"down\": false}" });
            });
            json.raw("}");
        });
    }
    json.raw("\n  }");
    Ok(())
}
