-- The Northwind sample database (MIT licence), its structure written out; KEY, INT, SHORT, TEXT(n),
-- LONG, MONEY, FLAG, BYTES and MOMENT stand for each engine's types.
create table "Categories" ("CategoryID" KEY, "CategoryName" TEXT(15) not null,
  "Description" LONG, "Picture" BYTES);
create table "CustomerDemographics" ("CustomerTypeID" TEXT(10) not null, "CustomerDesc" LONG,
  primary key ("CustomerTypeID"));
create table "Customers" ("CustomerID" TEXT(5) not null, "CompanyName" TEXT(40) not null,
  "ContactName" TEXT(30), "ContactTitle" TEXT(30), "Address" TEXT(60), "City" TEXT(15),
  "Region" TEXT(15), "PostalCode" TEXT(10), "Country" TEXT(15), "Phone" TEXT(24), "Fax" TEXT(24),
  primary key ("CustomerID"));
create table "CustomerCustomerDemo" ("CustomerID" TEXT(5) not null,
  "CustomerTypeID" TEXT(10) not null, primary key ("CustomerID", "CustomerTypeID"),
  foreign key ("CustomerID") references "Customers" ("CustomerID"),
  foreign key ("CustomerTypeID") references "CustomerDemographics" ("CustomerTypeID"));
create table "Employees" ("EmployeeID" KEY, "LastName" TEXT(20) not null,
  "FirstName" TEXT(10) not null, "Title" TEXT(30), "TitleOfCourtesy" TEXT(25), "BirthDate" MOMENT,
  "HireDate" MOMENT, "Address" TEXT(60), "City" TEXT(15), "Region" TEXT(15),
  "PostalCode" TEXT(10), "Country" TEXT(15), "HomePhone" TEXT(24), "Extension" TEXT(4),
  "Photo" BYTES, "Notes" LONG, "ReportsTo" INT, "PhotoPath" TEXT(255),
  foreign key ("ReportsTo") references "Employees" ("EmployeeID"));
create table "Regions" ("RegionID" INT not null, "RegionDescription" TEXT(50) not null,
  primary key ("RegionID"));
create table "Territories" ("TerritoryID" TEXT(20) not null,
  "TerritoryDescription" TEXT(50) not null, "RegionID" INT not null, primary key ("TerritoryID"),
  foreign key ("RegionID") references "Regions" ("RegionID"));
create table "EmployeeTerritories" ("EmployeeID" INT not null, "TerritoryID" TEXT(20) not null,
  primary key ("EmployeeID", "TerritoryID"),
  foreign key ("EmployeeID") references "Employees" ("EmployeeID"),
  foreign key ("TerritoryID") references "Territories" ("TerritoryID"));
create table "Shippers" ("ShipperID" KEY, "CompanyName" TEXT(40) not null, "Phone" TEXT(24));
create table "Suppliers" ("SupplierID" KEY, "CompanyName" TEXT(40) not null,
  "ContactName" TEXT(30), "City" TEXT(15), "Country" TEXT(15), "HomePage" LONG);
create table "Orders" ("OrderID" KEY, "CustomerID" TEXT(5), "EmployeeID" INT, "OrderDate" MOMENT,
  "RequiredDate" MOMENT, "ShippedDate" MOMENT, "ShipVia" INT, "Freight" MONEY default 0,
  "ShipName" TEXT(40), "ShipCity" TEXT(15), "ShipCountry" TEXT(15),
  foreign key ("CustomerID") references "Customers" ("CustomerID"),
  foreign key ("EmployeeID") references "Employees" ("EmployeeID"),
  foreign key ("ShipVia") references "Shippers" ("ShipperID"));
create table "Products" ("ProductID" KEY, "ProductName" TEXT(40) not null, "SupplierID" INT,
  "CategoryID" INT, "QuantityPerUnit" TEXT(20), "UnitPrice" MONEY default 0,
  "UnitsInStock" SHORT default 0, "UnitsOnOrder" SHORT default 0, "ReorderLevel" SHORT default 0,
  "Discontinued" FLAG not null default '0',
  constraint "CK_Products_UnitPrice" check ("UnitPrice" >= 0),
  constraint "CK_UnitsInStock" check ("UnitsInStock" >= 0),
  foreign key ("CategoryID") references "Categories" ("CategoryID"),
  foreign key ("SupplierID") references "Suppliers" ("SupplierID"));
create table "Order Details" ("OrderID" INT not null, "ProductID" INT not null,
  "UnitPrice" MONEY not null default 0, "Quantity" SHORT not null default 1,
  "Discount" double precision not null default 0, primary key ("OrderID", "ProductID"),
  constraint "CK_Discount" check ("Discount" >= 0 and "Discount" <= 1),
  constraint "CK_Quantity" check ("Quantity" > 0),
  foreign key ("OrderID") references "Orders" ("OrderID"),
  foreign key ("ProductID") references "Products" ("ProductID"));
create index "CategoryName" on "Categories" ("CategoryName");
create index "City" on "Customers" ("City");
create index "LastName" on "Employees" ("LastName");
create index "OrderDate" on "Orders" ("OrderDate");
create index "ProductName" on "Products" ("ProductName");
create view "Alphabetical list of products" as
  select "Products"."ProductID", "Products"."ProductName", "Products"."UnitPrice",
    "Categories"."CategoryName"
  from "Categories" join "Products" on "Categories"."CategoryID" = "Products"."CategoryID"
  where "Products"."UnitsInStock" > 0;
create view "Current Product List" as
  select "ProductID", "ProductName" from "Products" where "UnitsOnOrder" = 0;
create view "Order Subtotals" as
  select "Order Details"."OrderID", sum("UnitPrice" * "Quantity" * (1 - "Discount")) as "Subtotal"
  from "Order Details" group by "Order Details"."OrderID";
create view "Products Above Average Price" as
  select "ProductName", "UnitPrice" from "Products"
  where "UnitPrice" > (select avg("UnitPrice") from "Products");
create view "Orders by Subtotal" as
  select o."OrderID", o."ShipName", s."Subtotal" from "Orders" o
  join "Order Subtotals" s on s."OrderID" = o."OrderID";
insert into "Categories" ("CategoryName", "Description") values ('Beverages', 'Soft drinks, teas');
insert into "Shippers" ("CompanyName", "Phone") values ('Speedy Express', '(503) 555-9831');
insert into "Suppliers" ("CompanyName", "City") values ('Exotic Liquids', 'Londona');
insert into "Customers" ("CustomerID", "CompanyName") values ('ALFKI', 'Alfreds Futterkiste');
insert into "Employees" ("LastName", "FirstName", "HireDate") values ('Davolio', 'Nancy', '1992-05-01 00:00:00');
insert into "Products" ("ProductName", "SupplierID", "CategoryID", "UnitPrice", "UnitsInStock")
  values ('Chai', 1, 1, 18.00, 39);
insert into "Orders" ("CustomerID", "EmployeeID", "OrderDate", "ShipVia", "Freight", "ShipName")
  values ('ALFKI', 1, '1996-07-04 00:00:00', 1, 32.38, 'Vins et alcools Chevalier');
insert into "Order Details" ("OrderID", "ProductID", "UnitPrice", "Quantity") values (1, 1, 14.00, 12);
