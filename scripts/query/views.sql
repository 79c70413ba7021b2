-- One row an exposure (experiment, phase, kind, unit, variant): its earliest; of equal times the one that was received first.
-- Who names no phase means the one at that time: where exposures of an experiment name one phase only, it is that one, else null.
create view exposures as
select
  environment, experiment, phase, kind, unit, variant, time, received_at, source, sdk, bot, attributes,
  json_extract_string(attributes, '$.country') as country,
  json_extract_string(attributes, '$.device') as device,
  json_extract_string(attributes, '$.platform') as platform
from (
  select
    environment, experiment, phase, kind, unit, variant, time, received_at, source, sdk, attributes,
    max(bot) over (partition by environment, experiment, phase, kind, unit, variant) as bot,
    row_number() over (
      partition by environment, experiment, phase, kind, unit, variant
      order by time, received_at, attributes, source, sdk
    ) as nth
  from (
    select
      environment, experiment, kind, unit, variant, time, received_at, source, sdk, bot, attributes,
      coalesce(phase, case
        when min(phase) over (partition by environment, experiment) = max(phase) over (partition by environment, experiment)
        then min(phase) over (partition by environment, experiment)
      end) as phase
    from events
    where type = 'exposure'
  ) as told
) as ranked
where nth = 1;

-- One row an outcome (kind, unit, id): of several with one id the first counts, which is the one that was received first.
create view outcomes as
select environment, kind, unit, id, name, coalesce(value, 1) as value, time, received_at, source, properties
from (
  select
    environment, kind, unit, id, name, value, time, received_at, source, properties,
    row_number() over (
      partition by environment, kind, unit, id
      order by received_at, time, name, value, properties
    ) as nth
  from events
  where type = 'outcome'
) as ranked
where nth = 1;

-- One row a unit that counts in a phase of an experiment, as it was first exposed: seen in one variant alone, and no bot.
create view population as
select
  environment, experiment, phase, kind, unit, variant, time as first_exposed_at, source, sdk, attributes,
  country, device, platform
from (
  select
    *,
    min(variant) over (partition by environment, experiment, phase, kind, unit) as lowest_variant,
    max(variant) over (partition by environment, experiment, phase, kind, unit) as highest_variant,
    max(bot) over (partition by environment, experiment, phase, kind, unit) as is_bot
  from exposures
) as seen
where lowest_variant = highest_variant and not is_bot;
