-- Wide usage has eight more levels of detail, which leave out sources and projects: 8 to 12 as 2 to 6 without both; by quarters of
-- an hour 13 neither, 14 sources, 15 projects. They are made from level 0 when this is run, not from the events: these may be pruned.
-- Rows are put down by the program (`wide::make_levels`), since segments are its own.
DELETE FROM wide_day WHERE level <> 0;
