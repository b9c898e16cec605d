insert into directors (id, first_name, last_name, born) values
  (1, 'Agnès', 'Varda', '1928-05-30'),
  (2, 'Akira', 'Kurosawa', '1910-03-23'),
  (3, 'Orson', 'Welles', '1915-05-06'),
  (4, 'Chantal', 'Akerman', null);
insert into films (id, title, director_id, producer_id, year, language, rating, budget, score, released,
                   shown_at, starts, token, info, tags, summary, sequel_to) values
  (1, 'Cléo from 5 to 7', 1, null, 1962, 'French', 7.8, 64000, 0.5, true,
   '1962-04-11T20:00:00Z', '20:00:00', '0193a000-0000-7000-8000-000000000001',
   '{"mood": "waiting", "minutes": 90, "cities": ["Paris"], "restored": true}', '["drama", "music"]',
   'A singer waits for two hours in Paris.', null),
  (2, 'Seven Samurai', 2, 3, 1954, 'Japanese', 8.6, 9007199254740993, 1.25, true,
   '1954-04-26T10:30:00Z', '10:30:00', null,
   '{"mood": "epic", "minutes": 207, "cities": [], "crew": {"music": "Hayasaka"}}', '["drama", "action"]',
   'Farmers hire seven samurai; the samurai defend the village.', null),
  (3, 'Citizen Kane', 3, 3, 1941, 'English', 8.3, 839727, -2, true,
   null, null, null, '{"mood": "sombre", "minutes": 119.5, "cities": ["New York", "Xanadu"], "note": null}',
   '["drama"]', 'A newspaper man dies. What is Rosebud?', null),
  (4, 'The Hidden Fortress', 2, null, 1958, 'Japanese', 8.0, null, null, true,
   '1958-12-28T00:00:00Z', null, null, null, '["action", "adventure"]', 'Two peasants, a princess, a general.', null),
  (5, 'Jeanne Dielman', 4, 4, 1975, null, 7.7, 120000, 3.5, true,
   null, '19:15:00', null, '{"mood": "quiet", "minutes": "201"}', '[]', 'Three days in a flat in Brussels.', null),
  (6, 'The Hidden Fortress II', 2, null, 2030, 'Japanese', null, 1, 100, false,
   null, null, null, '[1, 2, [3]]', '["action", 1]', '', 4);
insert into technical_specs (film_id, runtime, camera) values
  (1, 90, null), (2, 207, 'Mitchell'), (3, 119, 'Mitchell BNC');
insert into actors (id, name) values
  (1, 'Corinne Marchand'), (2, 'Toshiro Mifune'), (3, 'Takashi Shimura'), (4, 'Orson Welles'), (5, 'Delphine Seyrig');
insert into roles_played (film_id, actor_id, "character") values
  (1, 1, 'Cléo'), (2, 2, 'Kikuchiyo'), (2, 3, 'Kambei'), (3, 4, 'Kane'), (4, 2, 'General'), (4, 3, null), (5, 5, 'Jeanne');
insert into competitions (name, year) values
  ('Venice', 1954), ('Cannes', 1962), ('Cannes', 1975), ('Berlin', 1959);
insert into nominations (id, competition, year, film_id, rank) values
  (1, 'Venice', 1954, 2, 2), (2, 'Cannes', 1962, 1, 4), (3, 'Cannes', 1975, 5, null), (4, 'Berlin', 1959, 4, 1);
