-- Two people and a message that expires in ten days; rows that exist are left as they are.
insert into users (uuid, display_name, handle, email) values
  ('0193a000-0000-7000-8000-000000000001', 'Andrew Brown', 'andrewbrown', 'andrew@cruddur.example'),
  ('0193a000-0000-7000-8000-000000000002', 'Andrew Bayko', 'bayko', 'bayko@cruddur.example');

insert into activities (uuid, user_uuid, message, expires_at) values
  ('0193a000-0000-7000-8000-0000000000a1',
   (select uuid from users where handle = 'andrewbrown'),
   'This was imported as seed data!',
   now() + interval '10 days');
